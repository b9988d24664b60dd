import Artifacts
import Configuration
import Diagnostics
import Files
import StageDescriptions

/// A pipeline and the store of its artifacts; every command of the runner begins with them.
public struct Workspace {
  public let pipeline: PipelineSpecification
  public let store: Store
  /// The pipeline's records in the store.
  public let records: StoreRecords
  private let digests: FileDigests

  public init(
    pipeline: PipelineSpecification, store: Store
  ) throws {
    (self.pipeline, self.store) = (pipeline, store)
    if let status = try Files.status(store.path), !status.isFolder {
      throw Failure(.outputExists, "is a file; the store has to be a folder", at: store.path)
    }
    records = try store.records(of: pipeline.identity)
    digests = FileDigests(cache: store.digestCache)
  }

  /// Decides which stages have to run. Writes nothing.
  public func plan(_ selection: Selection = Selection()) throws -> Plan {
    try Planner(store: store, digests: digests, ledger: records.ledger).plan(pipeline, selection)
  }

  /// Saves the digests of raw files that planning computed, for stage programs and later plans. Only a run calls it,
  /// because commands that look at a store write nothing. Without effect where the store does not exist.
  public func saveDigests() throws {
    if Files.exists(store.path) { try digests.save() }
  }

  /// The differences of a stage from when it last had a result; the reason of its run comes first.
  public func changes(of stage: PlannedStage) -> [String] {
    records.ledger[stage.name].map { Reason.differences(from: $0.dependencies, to: stage.identity) } ?? []
  }

  /// The files that the user wants to see: reports and exports.
  public static func deliverables(of plan: Plan) throws -> [String] {
    try plan.stages.filter { $0.decision != .leftOut }.flatMap { stage in
      switch stage.identity.kind {
      case .evaluation, .retrieval: try Artifact.open(stage.output).files(where: { $0.hasSuffix(".html") })
      case .export: try Artifact.open(stage.output).files(where: { _ in true })
      default: [String]()
      }
    }
  }
}

extension Artifact {
  fileprivate func files(where isWanted: (String) -> Bool) -> [String] {
    manifest.files.map(\.path).filter(isWanted).map { "\(path)/\($0)" }
  }
}
