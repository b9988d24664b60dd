import Artifacts
import Diagnostics
import Files
import JSON
import LanguageEvaluation
import Reports
import StageDescriptions
import Tokenization
import Torch
import Training

extension EvaluationContext {
  init(
    _ request: StageRequest<Evaluate>, subject: Subject, forward: Forward, policies: [NamedPolicy],
    validation: Validation, loss: LossSettings, resolution: Resolution
  ) throws {
    let model = subject.model
    let windows = forward.windows
    let identity = request.identity([:])
    let origin = ReportContext(
      facts: [
        ReportContext.Fact(
          "model", "\(abbreviated(Double(model.parameterCount))) parameters, context of \(windows.context) tokens"),
        ReportContext.Fact("windows", "\(windows.count), each predicting the next \(windows.stride) tokens"),
        ReportContext.Fact(
          "single temperatures",
          "chosen on \(validation.tokens) tokens of the validation split: \(fixed(validation.best, digits: 4)) has the "
            + "least cross-entropy, \(fixed(validation.bestRobust, digits: 4)) the least robust loss"),
        ReportContext.Fact("rho", "\(readable(validation.rho, digits: 4)), from \(loss.origin)"),
        ReportContext.Fact(
          "validation entropy", "\(readable(validation.entropy, digits: 4)) nats per token at temperature 1, on average"
        ),
      ] + resolution.record.map { ReportContext.Fact($0.name.replacing("_", with: " "), $0.value) },
      inputs: Self.inputs(request, identity), sources: subject.tokens.sources.map(ReportContext.Source.init),
      histories: try Self.histories(request), configuration: identity.configuration)
    try self.init(
      origin,
      splits: Tokenization.Split.allCases.map {
        Split(name: $0.rawValue, extent: TextExtent(subject.tokens.split($0)))
      },
      leading: Self.leading(policies),
      passage: Passage(of: subject.tokens, forward.split, tokens: request.configuration.passageTokens))
  }

  /// The inputs, with the sizes of artifacts.
  private static func inputs(_ request: StageRequest<Evaluate>, _ identity: StageIdentity) -> [ReportContext.Input] {
    let artifacts = Evaluate.inputs.flatMap { request.inputs.ownArtifacts($0.name) }
    return identity.inputs.map { input in
      let files = artifacts.first { $0.key == input.key }?.manifest.files
      return ReportContext.Input(
        name: input.name, kind: input.kind, key: input.key, bytes: files?.reduce(0) { $0 + $1.size })
    }
  }

  /// How the inputs were trained; imported artifacts have no history.
  private static func histories(_ request: StageRequest<Evaluate>) throws -> [TrainingHistory] {
    let artifacts = request.inputs.artifacts("tempnet")
    let fitted = zip(Networks.titles(artifacts), artifacts).map { ($0, $1) }
    let model = request.inputs.ownArtifacts("model").map { ("the model", $0) }
    return try (model + fitted).compactMap { subject, artifact in
      guard artifact.contains(TrainingFiles.metricsName) else { return nil }
      let path = try artifact.file(TrainingFiles.metricsName)
      return try TrainingHistory(of: subject, parsing: try Files.read(path), source: path)
    }
  }

  /// The policy that the report is about: a TempNet, fitted ones first; where there is none, the exact optimum.
  private static func leading(_ policies: [NamedPolicy]) -> String {
    let fitted = policies.first { $0.name == EvaluateConfiguration.tempnetName }
    let policy = fitted ?? policies.first { $0.kind == .tempnet } ?? policies.first { $0.kind == .exact }
    return policy?.name ?? ""
  }
}

extension ReportContext.Source {
  fileprivate init(_ source: Corpus.Source) {
    self.init(name: source.name, licence: source.licence ?? "not stated", origin: source.origin ?? "not stated")
  }
}
