import Artifacts
import Diagnostics
import Files
import JSON
import LanguageEvaluation
import Reports
import ScoreStage
import StageDescriptions
import Statistics
import Tokenization
import Torch
import Training

extension EvaluationContext {
  init(
    _ request: StageRequest<Evaluate>, _ subject: Subject, _ description: RecordsDescription, policies: [NamedPolicy],
    validation: Validation, loss: LossSettings, tried: [TriedSettings],
    models: [EvaluatedModel], resolution: Resolution
  ) throws {
    let identity = request.identity([:])
    let origin = ReportContext(
      facts: [
        ReportContext.Fact(
          "model", "\(abbreviated(Double(description.parameters))) parameters, context of \(description.context) tokens"
        ),
        ReportContext.Fact("windows", "\(description.windows), each predicting the next \(description.stride) tokens"),
        ReportContext.Fact(
          "single temperatures",
          "chosen on \(validation.tokens) tokens of the validation split: \(fixed(validation.best, digits: 4)) has the "
            + "least cross-entropy, \(fixed(validation.bestRobust, digits: 4)) the least robust loss"),
        ReportContext.Fact("rho", "\(readable(validation.rho, digits: 4)), from \(loss.origin)"),
        ReportContext.Fact(
          "validation entropy", "\(readable(validation.entropy, digits: 4)) nats per token at temperature 1, on average"
        ),
      ] + resolution.record.map { ReportContext.Fact($0.name.replacing("_", with: " "), $0.value) },
      inputs: Self.inputs(request, identity), sources: description.sources,
      histories: try Self.histories(request, subject), configuration: identity.configuration)
    try self.init(
      origin,
      splits: description.splits,
      leading: Self.leading(policies), tried: tried, models: models,
      passage: subject.tokens.flatMap {
        try Passage(of: $0, $0.split(.test), tokens: request.configuration.passageTokens)
      })
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
  private static func histories(_ request: StageRequest<Evaluate>, _ subject: Subject) throws -> [TrainingHistory] {
    let artifacts = request.inputs.artifacts("tempnet")
    let fitted = try zip(EvaluatedTempNets.titles(artifacts), artifacts).compactMap { title, artifact in
      artifact.contains(TrainingFiles.metricsName) ? (title, try artifact.file(TrainingFiles.metricsName)) : nil
    }
    return try ((subject.history.map { [("the model", $0)] } ?? []) + fitted).map { subject, path in
      try TrainingHistory(of: subject, parsing: try Files.read(path), source: path)
    }
  }

  /// The policy that the report is about: a TempNet, fitted ones first; where there is none, the exact optimum.
  private static func leading(_ policies: [NamedPolicy]) -> String {
    let fitted = policies.first { $0.name == PolicyName.tempnet }
    let policy = fitted ?? policies.first { $0.kind == .tempnet } ?? policies.first { $0.kind == .exact }
    return policy?.name ?? ""
  }
}
