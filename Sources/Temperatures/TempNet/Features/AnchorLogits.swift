import TemperatureSettings
import Torch

/// The measurements that a fit needs of the logits z = scale · ⟨anchor, candidate⟩ of anchors: images compared with
/// texts, or texts with images. A row's logits are those of its candidates without its own.
public struct AnchorLogits: Sendable {
  public let profile: TemperatureProfile
  /// The largest logit, float32 [N].
  public let maximum: Tensor
  /// The mean of the logits minus the largest, float32 [N].
  public let mean: Tensor
  /// How many logits each row has.
  public let alternatives: [Int]
  /// The largest logit of an own candidate, float32 [N].
  public let ownLogit: Tensor
  /// The index of that candidate; the first one on ties.
  public let ownIndex: [Int]

  /// - Parameters:
  ///   - anchors: rows of unit length, float32 [N, d].
  ///   - candidates: rows of unit length, float32 [M, d].
  ///   - own: for each anchor the indices of its own candidates, ascending, at least one and at most M - 2.
  public init(anchors: Tensor, candidates: Tensor, scale: Double, own: [[Int]], grid: TemperatureGrid) {
    self = withoutGradients {
      Self(ComparedAnchors(anchors, candidates, scale, own), candidates: candidates.size(0), own: own, grid: grid)
    }
  }

  private init(_ compared: ComparedAnchors, candidates: Int, own: [[Int]], grid: TemperatureGrid) {
    alternatives = own.map { candidates - $0.count }
    profile = .compute(logits: compared.logits, grid: grid)
    maximum = compared.logits.maximum(-1)
    let means = zip(compared.sums, zip(alternatives, maximum.floats)).map { sum, row in
      Float(sum / Double(row.0) - Double(row.1))
    }
    mean = Tensor(means, shape: [own.count])
    ownLogit = Tensor(compared.best.map(\.logit), shape: [own.count])
    ownIndex = compared.best.map(\.index)
  }

  /// The largest error of profiles on a grid at the middle of every cell, where it is greatest.
  ///
  /// - Parameters: as for `init`.
  public static func interpolationError(
    anchors: Tensor, candidates: Tensor, scale: Double, own: [[Int]], grid: TemperatureGrid
  ) -> InterpolationError {
    withoutGradients {
      let logits = ComparedAnchors(anchors, candidates, scale, own).logits
      let profile = TemperatureProfile.compute(logits: logits, grid: grid)
      let nodes = grid.temperatures
      var (loss, entropy) = (0.0, 0.0)
      for (low, high) in zip(nodes, nodes.dropFirst()) {
        let middle = (low * high).squareRoot()
        let tau = Tensor.full([own.count], middle, dtype: .float64, device: logits.device)
        let (found, exact) = (profile(at: tau), TemperedStatistics(logits: logits, tau: tau))
        loss = max(loss, (found.value - exact.logPartition * middle).abs().maximum(0).item)
        entropy = max(entropy, (found.entropy - exact.entropy).abs().maximum(0).item)
      }
      return InterpolationError(rows: own.count, loss: loss, entropy: entropy)
    }
  }
}

/// Logits of anchors with all candidates, those of their own taken out.
private struct ComparedAnchors {
  /// [N, M]; negative infinity for own candidates.
  let logits: Tensor
  /// Of each row's other logits.
  let sums: [Double]
  /// Each row's own candidate with the largest logit.
  let best: [(index: Int, logit: Float)]

  init(_ anchors: Tensor, _ candidates: Tensor, _ scale: Double, _ own: [[Int]]) {
    let logits = (anchors * scale).matmul(candidates.transposed())
    let rows = own.enumerated().flatMap { row, indices in indices.map { _ in row } }
    let places = [Tensor(rows), Tensor(own.flatMap { $0 })].map { $0.to(logits.device) }
    let width = candidates.size(0)
    let flat = zip(rows, own.joined()).map { $0 * width + $1 }
    let values = logits.reshaped([-1]).selected(0, indices: Tensor(flat).to(logits.device)).floats
    var sums = logits.sum(-1, dtype: .float64).doubles
    var best: [(index: Int, logit: Float)] = []
    var next = 0
    for (row, indices) in own.enumerated() {
      let mine = values[next..<next + indices.count]
      next += indices.count
      for value in mine { sums[row] -= Double(value) }
      let greatest = mine.max()!
      best.append((indices[mine.firstIndex(of: greatest)! - mine.startIndex], greatest))
    }
    logits.put(.full([rows.count], -.infinity, device: logits.device), at: places)
    (self.logits, self.sums, self.best) = (logits, sums, best)
  }
}
