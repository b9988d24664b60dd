import TemperatureSettings
import Torch

/// Profiles and statistics of logits, computed from hidden states and an unembedding; the input of a fit.
public struct ProfiledLogits: Sendable {
  public let profile: TemperatureProfile
  /// The greatest logit m, [N].
  public let maximum: Tensor
  /// ‖z‖, [N].
  public let norm: Tensor
  /// ‖z - m‖, [N].
  public let centredNorm: Tensor
  /// z_y, [N].
  public let labelLogit: Tensor

  /// The number of tokens that are computed together. Their logits come in slices of the vocabulary; with many more rows
  /// the slices would be too narrow for fast products.
  private static let rowsAtOnce = 4096

  /// The number of logits in memory at once without slices: 64 MiB.
  private static let logitsAtOnce = 1 << 24

  /// - Parameters:
  ///   - hidden: float32 [N, d].
  ///   - weight: the unembedding, [V, d]; one in bfloat16 has the hidden states rounded too.
  ///   - labels: int64 [N].
  /// - Returns: one row per token; tables without rows for no tokens.
  public static func compute(
    hidden: Tensor, weight: Tensor, labels: Tensor, grid: TemperatureGrid
  ) -> ProfiledLogits {
    guard hidden.isCPUFloat32 else { return reference(hidden: hidden, weight: weight, labels: labels, grid: grid) }
    return withoutGradients {
      joined(hidden.size(0), at: rowsAtOnce) { rows in
        let found = hidden[rows].unembeddingProfile(
          weight, labels: labels[rows], at: grid.temperatures, perOctave: grid.nodesPerOctave)
        return ProfiledLogits(
          profile: TemperatureProfile(
            grid: grid, value: found.value, entropy: found.entropy, variance: found.variance),
          maximum: found.maximum, norm: found.norm, centredNorm: found.centredNorm, labelLogit: found.labelLogit)
      }
    }
  }

  /// The same in libtorch's own operators, for GPUs, and for tests of the operator.
  static func reference(
    hidden: Tensor, weight: Tensor, labels: Tensor, grid: TemperatureGrid
  ) -> ProfiledLogits {
    withoutGradients {
      let (hidden, factor) = (hidden.to(weight.dtype).to(.float32), weight.to(.float32))
      return joined(hidden.size(0), at: max(1, logitsAtOnce / weight.size(0))) { rows in
        let logits = hidden[rows].linear(factor)
        return ProfiledLogits(logits: logits, labels: labels[rows], grid: grid)
      }
    }
  }

  /// From given logits [N, V].
  init(logits: Tensor, labels: Tensor, grid: TemperatureGrid) {
    let statistics = LogitStatistics(logits)
    self.init(
      profile: .compute(logits: logits, grid: grid), maximum: statistics.maximum, norm: statistics.norm,
      centredNorm: statistics.centredNorm,
      labelLogit: logits.gathered(-1, labels.unsqueezed(-1)).squeezed(-1))
  }

  private init(profile: TemperatureProfile, maximum: Tensor, norm: Tensor, centredNorm: Tensor, labelLogit: Tensor) {
    self.profile = profile
    (self.maximum, self.norm, self.centredNorm, self.labelLogit) = (maximum, norm, centredNorm, labelLogit)
  }

  /// Of rows 0..<count, so many at a time.
  private static func joined(_ count: Int, at once: Int, _ part: (Range<Int>) -> ProfiledLogits) -> ProfiledLogits {
    let parts = stride(from: 0, to: max(1, count), by: once).map { part($0..<min($0 + once, count)) }
    func joined(_ column: (ProfiledLogits) -> Tensor) -> Tensor { .concatenate(parts.map(column)) }
    return ProfiledLogits(
      profile: TemperatureProfile(
        grid: parts[0].profile.grid, value: joined(\.profile.value), entropy: joined(\.profile.entropy),
        variance: joined(\.profile.variance)),
      maximum: joined(\.maximum), norm: joined(\.norm), centredNorm: joined(\.centredNorm),
      labelLogit: joined(\.labelLogit))
  }
}
