import Artifacts
import Configuration
import Diagnostics
import StageDescriptions

/// The decisions of a run of a pipeline, made once, before anything runs.
public struct Plan: Sendable {
  public let identity: PipelineIdentity
  /// The path of its file, as it was given.
  public let source: String
  /// Each after the stages that it reads from.
  public let stages: [PlannedStage]

  /// The name.
  public var pipeline: String { identity.name }

  public var work: [PlannedStage] { stages.filter { $0.decision.isRun } }

  /// The stages whose results exist.
  var made: [PlannedStage] { stages.filter { $0.decision == .upToDate } }

  public subscript(name: String) -> PlannedStage? { stages.first { $0.name == name } }
}

/// The decision on a stage.
public enum Decision: Hashable, Sendable {
  /// The artifact exists.
  case upToDate
  /// The stage runs, for this reason.
  case run(String)
  /// The stage was not asked for.
  case leftOut

  public var isRun: Bool { if case .run = self { true } else { false } }
}

/// One stage of a plan: everything that it needs in order to run.
public struct PlannedStage: Sendable {
  public let name: String
  public let description: any StageDescription.Type
  public let identity: StageIdentity
  public let key: String
  /// The path of the artifact.
  public let output: String
  /// The configuration that the stage's program is given.
  public let configuration: YAMLNode
  /// Paths of artifacts by the names of inputs.
  public let inputs: [String: [String]]
  public let dependencies: Set<String>
  /// The size of the vocabulary; nil where it is not known before anything runs.
  let vocabulary: Int?
  public let cores: Int?
  public let memory: Int?
  /// About how much it takes, where that is known and it runs.
  public let estimate: MemoryEstimate?
  public let retries: Int
  public let decision: Decision
  /// Whether it runs although its artifact exists.
  public let isForced: Bool

  /// The folder with the work of an interrupted run, or of one that goes on; nil where there is none.
  public var unfinishedWork: String? { ArtifactBuilder.unfinishedWork(on: output) }
}

/// The stages of a pipeline that the command line chooses.
public struct Selection: Sendable {
  /// These and all stages that they need; empty means every stage.
  public var stages: [String]
  /// These and all stages that depend on them; empty means every stage.
  public var from: [String]
  /// These run although their artifacts exist.
  public var forced: [String]

  public init(stages: [String] = [], from: [String] = [], forced: [String] = []) {
    (self.stages, self.from, self.forced) = (stages, from, forced)
  }

  /// The names of the chosen stages.
  func wanted(in pipeline: PipelineSpecification) throws -> Set<String> {
    for name in stages + from + forced where pipeline.names(of: name).isEmpty {
      let hint = nearest(to: name, in: pipeline.stages.map(\.name)).map { "; did you mean '\($0)'?" } ?? ""
      throw Failure(.badConfiguration, "the pipeline has no stage '\(name)'\(hint)", at: pipeline.source)
    }
    var above = Set(stages.flatMap(pipeline.names(of:)))
    var below = Set(from.flatMap(pipeline.names(of:)))
    for stage in pipeline.stages.reversed() where above.contains(stage.name) { above.formUnion(stage.dependencies) }
    for stage in pipeline.stages where !below.isDisjoint(with: stage.dependencies) { below.insert(stage.name) }
    let all = Set(pipeline.stages.map(\.name))
    let wanted = (stages.isEmpty ? all : above).intersection(from.isEmpty ? all : below)
    if let outside = forced.first(where: { wanted.isDisjoint(with: pipeline.names(of: $0)) }) {
      throw Failure(
        .badConfiguration, "'\(outside)' is forced, but is not one of the chosen stages", at: pipeline.source)
    }
    guard !wanted.isEmpty else {
      throw Failure(
        .badConfiguration, "--stage and --from choose no stage in common",
        at: pipeline.source)
    }
    return wanted
  }
}
