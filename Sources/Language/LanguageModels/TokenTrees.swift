import Torch

/// Rows of tokens in which several may continue the same one. Each token sees the tokens on the path from the beginning to
/// itself.
///
/// A row is in preorder: the continuations of a token are the range from it to its `end`.
public struct TokenTrees {
  /// How many tokens lie before each on its path, int64 [B, T].
  public let positions: Tensor
  /// The index in its row after the last token that continues it, [B, T] int64.
  public let ends: Tensor
  /// One more than the greatest position.
  public let depth: Int

  /// - Parameters:
  ///   - positions: row by row.
  ///   - length: of all rows; shorter ones are padded. A token of padding sees only itself, and no other token sees it.
  public init(positions: [[Int]], ends: [[Int]], length: Int, device: Device) {
    let padding = positions.map { $0.count..<length }
    let shape = [positions.count, length]
    self.positions = Tensor(
      zip(positions, padding).flatMap { $0 + $1.map { _ in 0 } }, shape: shape
    ).to(device)
    self.ends = Tensor(zip(ends, padding).flatMap { $0 + $1.map { $0 + 1 } }, shape: shape).to(device)
    depth = 1 + (positions.lazy.flatMap { $0 }.max() ?? 0)
  }
}
