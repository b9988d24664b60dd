import Diagnostics
import TemperatureSettings
import Torch

/// The samples of one side of a batch: positions in the pairs, strictly rising.
///
/// Every wrong id would spoil another sample's state without a word. So there are no ids but checked ones.
public struct SampleIds: Sendable {
  public let values: [Int]
  /// int64 [B].
  let tensor: Tensor

  /// - Parameters:
  ///   - count: how many samples the side has.
  ///   - side: for the message.
  /// - Throws: `Failure(.badData)` for an id out of range, one that stands twice, and ids that do not rise.
  public init(_ ids: [Int], of count: Int, side: EmbeddingSide) throws {
    let name = side == .image ? "picture" : "caption"
    for (index, id) in ids.enumerated() {
      guard (0..<count).contains(id) else {
        throw Failure(.badData, "\(name) \(id) is in a batch, but there are \(count), counted from 0")
      }
      guard index > 0, id <= ids[index - 1] else { continue }
      throw Failure(
        .badData,
        id == ids[index - 1]
          ? "\(name) \(id) is in one batch twice: its state would depend on which row comes last"
          : "\(name) \(id) follows \(name) \(ids[index - 1]) in a batch, whose ids must rise")
    }
    values = ids
    tensor = Tensor(ids)
  }
}
