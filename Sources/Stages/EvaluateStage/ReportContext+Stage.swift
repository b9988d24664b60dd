import Artifacts
import Diagnostics
import Evaluation
import StageDescriptions
import Torch

extension ReportContext {
  init(
    _ request: StageRequest<Evaluate>, subject: Subject, forward: Forward, validation: Validation, loss: LossSettings,
    resolution: Resolution
  ) {
    let model = subject.model
    let windows = forward.windows
    let identity = request.identity([:])
    self.init(
      facts: [
        Fact("model", "\(abbreviated(Double(model.parameterCount))) parameters, context of \(windows.context) tokens"),
        Fact("windows", "\(windows.count), each predicting the next \(windows.stride) tokens"),
        Fact(
          "single temperatures",
          "chosen on \(validation.tokens) tokens of the validation split: \(fixed(validation.best, digits: 4)) has the "
            + "least cross-entropy, \(fixed(validation.bestRobust, digits: 4)) the least robust loss"),
        Fact("rho", "\(fixed(validation.rho, digits: 4)), from \(loss.origin)"),
        Fact(
          "validation entropy", "\(fixed(validation.entropy, digits: 4)) nats per token at temperature 1, on average"),
      ] + resolution.record.map { Fact($0.name.replacing("_", with: " "), $0.value) },
      inputs: identity.inputs.map { Input(name: $0.name, kind: $0.kind, key: $0.key) },
      sources: Self.sources(subject.tokens.artifact.summary),
      configuration: identity.configuration)
  }

  /// The texts that the tokens were made from, as their artifact's summary names them.
  private static func sources(_ summary: JSON) -> [Source] {
    (summary["sources"]?.arrayValue ?? []).map { source in
      Source(
        name: source["name"]?.stringValue ?? "unnamed", licence: source["licence"]?.stringValue ?? "not stated",
        origin: source["source"]?.stringValue ?? "not stated")
    }
  }
}
