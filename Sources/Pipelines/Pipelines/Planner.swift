import Artifacts
import Configuration
import Diagnostics
import StageDescriptions

/// Turns a pipeline's specification into a plan. It reads configurations, manifests, and sizes and times of files. Raw
/// files are read as a whole only if they have changed since they were last hashed.
public struct Planner {
  private let store: Store
  private let digests: FileDigests
  private let ledger: Ledger

  public init(store: Store, digests: FileDigests, ledger: Ledger) {
    (self.store, self.digests, self.ledger) = (store, digests, ledger)
  }

  /// - Throws: `badConfiguration` with the place; `missingInput` for raw files or artifacts that do not exist.
  public func plan(_ pipeline: PipelineSpecification, _ selection: Selection = Selection()) throws -> Plan {
    let wanted = try selection.wanted(in: pipeline)
    let forced = Set(selection.forced.flatMap(pipeline.names(of:)))
    var planned: [PlannedStage] = []
    for specification in pipeline.stages {
      let isForced = forced.contains(specification.name)
      let stage = try resolve(specification.description, specification, after: planned, isForced) { identity, output in
        guard wanted.contains(specification.name) else { return .leftOut }
        return try decide(specification.name, identity, output, isForced: isForced)
      }
      try checkInputs(of: stage, among: planned)
      planned.append(stage)
    }
    return Plan(identity: pipeline.identity, source: pipeline.source, stages: planned)
  }

  private func resolve<Description: StageDescription>(
    _ description: Description.Type, _ specification: StageSpecification, after planned: [PlannedStage],
    _ isForced: Bool, decide: (StageIdentity, String) throws -> Decision
  ) throws -> PlannedStage {
    let settings = try Self.settings(description, specification)
    let configuration = try Description.Configuration.resolve(settings)
    let given = Set(specification.inputs.filter { !$0.sources.isEmpty }.map(\.name))
    if let problem = Description.problem(configuration.values, withInputs: given) {
      throw Failure(.badConfiguration, "stage \(specification.name): \(problem)", at: "\(settings.place)")
    }
    let inputs = try sources(of: specification, description, planned)
    let raw = try Description.rawInputs(configuration.values).map { try $0.reference(digests) }
    let vocabulary = Description.vocabulary(
      configuration.values, inputs: try vocabularies(of: specification, description, planned))
    let identity = Description.identity(
      configuration: configuration.canonical, inputs: inputs.flatMap(\.references) + raw)
    let key = identity.key
    let output = store.artifact(stage: Description.name, key: key)
    let decision = try decide(identity, output)
    if decision.isRun, let vocabulary {
      do {
        try Description.check(configuration.values, vocabulary: vocabulary)
      } catch let failure as Failure {
        let place = failure.place.flatMap { settings[$0]?.place } ?? settings.place
        throw Failure(failure.status, "stage \(specification.name): \(failure.message)", at: "\(place)")
      }
    }
    return PlannedStage(
      name: specification.name, description: description, identity: identity, key: key, output: output,
      configuration: settings,
      inputs: Dictionary(grouping: inputs, by: \.name).mapValues { $0.map(\.path) },
      dependencies: specification.dependencies, vocabulary: vocabulary, cores: specification.cores,
      memory: specification.memory,
      estimate: decision.isRun
        ? Description.memory(configuration.values, inputs: plannedInputs(of: specification, planned)) : nil,
      retries: specification.retries, decision: decision, isForced: isForced)
  }

  /// The configuration under `with:`, with as many threads as the stage asks for cores.
  private static func settings<Description: StageDescription>(
    _: Description.Type, _ specification: StageSpecification
  ) throws -> YAMLNode {
    let key = ConfigurationReader.threadsKey
    let given = specification.configuration
    guard let cores = specification.cores, given[key] == nil,
      Description.Configuration.documentation.contains(where: { $0.key == key }),
      let threads = ConfigurationOverride.number(key, "\(cores)", from: "cores")
    else { return given }
    return try given.applying([threads])
  }

  /// Inputs in the order that the description declares.
  private func sources<Description: StageDescription>(
    of specification: StageSpecification, _: Description.Type, _ planned: [PlannedStage]
  ) throws -> [(name: String, path: String, references: [InputReference])] {
    try Description.inputs.flatMap { input in
      try specification.inputs.filter { $0.name == input.name }.flatMap { link in
        try link.sources.map { source in
          switch source {
          case .path(let path): return (input.name, path, try input.references(at: path, digests))
          case .stage(let name):
            guard let stage = planned.first(where: { $0.name == name }) else {
              preconditionFailure("stages are sorted by what they read")
            }
            let reference = InputReference(name: input.name, kind: stage.identity.kind.name, key: stage.key)
            return (input.name, stage.output, [reference])
          }
        }
      }
    }
  }

  /// What is known of the artifacts that a stage reads; of models made elsewhere nothing.
  private func plannedInputs(
    of specification: StageSpecification, _ planned: [PlannedStage]
  ) -> [String: [PlannedInput]] {
    var known: [String: [PlannedInput]] = [:]
    for input in specification.inputs {
      known[input.name] = input.sources.compactMap { source in
        switch source {
        case .path(let path): return (try? Manifest(of: path)).map { PlannedInput($0) }
        case .stage(let name):
          guard let stage = planned.first(where: { $0.name == name }) else { return nil }
          let manifest = try? Manifest(of: stage.output)
          return manifest.map { PlannedInput($0) }
            ?? PlannedInput(configuration: stage.identity.configuration, bytes: nil)
        }
      }
    }
    return known
  }

  /// The size of the vocabulary of each given input; nil where it is not known.
  private func vocabularies<Description: StageDescription>(
    of specification: StageSpecification, _: Description.Type, _ planned: [PlannedStage]
  ) throws -> [String: Int?] {
    var sizes: [String: Int?] = [:]
    for input in Description.inputs {
      guard let source = specification.inputs.first(where: { $0.name == input.name })?.sources.first else { continue }
      let size =
        switch source {
        case .path(let path): try input.vocabulary(at: path)
        case .stage(let name): planned.first { $0.name == name }?.vocabulary
        }
      sizes.updateValue(size, forKey: input.name)
    }
    return sizes
  }

  private func decide(
    _ name: String, _ identity: StageIdentity, _ output: String, isForced: Bool
  ) throws -> Decision {
    switch try ArtifactState(at: output, kind: identity.kind, key: identity.key) {
    case .present: return isForced ? .run("forced") : .upToDate
    case .damaged(let problem): return .run("its artifact is damaged: \(problem)")
    case .unfinished: return .run("\(reason(name, identity)); continues interrupted work")
    case .absent: return .run(reason(name, identity))
    }
  }

  private func reason(_ name: String, _ identity: StageIdentity) -> String {
    guard let record = ledger[name] else { return "no artifact yet" }
    return Reason.differences(from: record.dependencies, to: identity).first ?? "its artifact is gone"
  }

  /// A stage that runs needs the existing results of stages that were left out.
  private func checkInputs(of stage: PlannedStage, among planned: [PlannedStage]) throws {
    guard stage.decision.isRun else { return }
    for source in planned where stage.dependencies.contains(source.name) && source.decision == .leftOut {
      if case .present = try ArtifactState(at: source.output, kind: source.identity.kind, key: source.key) { continue }
      throw Failure(
        .missingInput, "\(stage.name) needs the result of \(source.name), which does not exist; run \(source.name) too")
    }
  }
}

extension PlannedInput {
  fileprivate init(_ manifest: Manifest) {
    self.init(configuration: manifest.configuration, bytes: manifest.files.reduce(0) { $0 + $1.size })
  }
}
