import Diagnostics
import Torch

/// Finds out what stopped being finite, for a message that helps.
enum Divergence {
  /// - Parameters:
  ///   - step: the first step that showed it, counted from 0.
  ///   - symptom: what was seen there, as in `the loss is nan`.
  static func failure(step: Int, symptom: String, groups: [ParameterGroup]) -> Failure {
    let parameters = groups.flatMap(\.parameters)
    let culprit = withoutGradients {
      parameters.lazy.compactMap { describe($0.name, $0.tensor) }.first
        ?? parameters.lazy.compactMap { named in
          named.tensor.gradient.flatMap { describe("the gradient of \(named.name)", $0) }
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
