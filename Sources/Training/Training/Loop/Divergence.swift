import Diagnostics
import Torch

/// A loss or gradient that is no longer finite.
struct Divergence: Error {
  /// The first step with such a number, counted from 0.
  let step: Int
  /// The observation at that step, as in `the loss is nan`.
  let symptom: String

  /// The failure to report, with the first tensor that is not finite.
  func failure(groups: [ParameterGroup]) -> Failure {
    let parameters = groups.flatMap(\.parameters)
    let culprit = withoutGradients {
      parameters.lazy.compactMap { Self.describe($0.name, $0.tensor) }.first
        ?? parameters.lazy.compactMap { named in
          named.tensor.gradient.flatMap { Self.describe("the gradient of \(named.name)", $0) }
        }.first
    }
    let finding =
      culprit.map { "the first tensor that is not finite is \($0)" } ?? "parameters and gradients are finite"
    return Failure(
      .badConfiguration,
      "training diverged at step \(step + 1): \(symptom); \(finding). A lower learning rate, a longer warm-up or a lower "
        + "gradient_clip may help")
  }

  private static func describe(_ name: String, _ tensor: Tensor) -> String? {
    let finite = Int(tensor.finite().to(.float64).sum().item)
    return finite == tensor.count ? nil : "\(name) (\(tensor.count - finite) of \(tensor.count) elements)"
  }
}
