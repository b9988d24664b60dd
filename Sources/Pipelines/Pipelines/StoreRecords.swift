import Diagnostics
import Files

/// The records of one pipeline in a store, and their label, which names its ledger, runs and links.
///
/// The label is the pipeline's name. If a pipeline of another file has that name, a part of the digest of the file's
/// path is added: `pipeline-1f0a2b3c`. If a file's pipeline was renamed, its records are found under the former label,
/// and the next run moves them.
public struct StoreRecords: Sendable {
  public let label: String
  public let ledger: Ledger
  /// The label under which the ledger still lies.
  public let formerLabels: [String]

  fileprivate init(label: String, ledger: Ledger, formerLabels: [String] = []) {
    (self.label, self.ledger, self.formerLabels) = (label, ledger, formerLabels)
  }
}

extension Store {
  private static let digestDigits = [8, 16, 32]

  /// The records of a pipeline. Where it has none, they are empty and have its future label.
  public func records(of pipeline: PipelineIdentity) throws -> StoreRecords {
    let origin = RecordOrigin(pipeline, in: self)
    let digest = SHA256.hex(of: pipeline.file.text)
    var (own, earlier, free): (StoreRecords?, StoreRecords?, StoreRecords?)
    for label in [pipeline.name] + Self.digestDigits.map({ "\(pipeline.name)-\(digest.prefix($0))" }) {
      let ledger = try Ledger(readingIfWhole: ledger(of: label))
      let records = StoreRecords(label: label, ledger: ledger)
      switch try owner(of: label, ledger) {
      case .file(let other) where other.isSame(as: origin):
        if !ledger.records.isEmpty { return records }
        own = own ?? records
      case .file: continue
      case .path(let path) where pipeline.mayHaveBeen(path): earlier = earlier ?? records
      case .path: continue
      case .nobody: free = free ?? records
      }
    }
    if let label = (own ?? free)?.label, let former = try formerRecords(of: origin, label: label) { return former }
    guard let found = own ?? earlier ?? free else {
      throw Failure(.internal, "no label is free for the pipeline '\(pipeline.name)'", at: path)
    }
    return found
  }

  /// The records under a label of the pipeline's former name; nil where there are none.
  private func formerRecords(of origin: RecordOrigin, label: String) throws -> StoreRecords? {
    guard origin.path != nil else { return nil }
    let former = try ledgerFiles().compactMap { file -> (label: String, ledger: Ledger)? in
      // The pipeline that a damaged ledger belongs to reports it.
      guard let ledger = try? Ledger(reading: file), ledger.origin?.isSame(as: origin) == true else { return nil }
      return (self.label(ofLedger: file), ledger)
    }.filter { $0.label != label }
    return former.first.map { StoreRecords(label: label, ledger: $0.ledger, formerLabels: former.map(\.label)) }
  }

  private enum Owner {
    case file(RecordOrigin)
    /// Earlier versions noted the file in a run's record as it was named, relative to an unknown folder.
    case path(String)
    case nobody
  }

  private func owner(of label: String, _ ledger: Ledger) throws -> Owner {
    if let origin = ledger.origin { return .file(origin) }
    // Without a ledger, or with one of an earlier version, the latest run decides.
    for run in try runNames(of: label).reversed() {
      guard let record = try? RunRecord(of: "\(runs(of: label))/\(run)") else { continue }
      if let origin = record.origin { return .file(origin) }
      if let path = record.source { return .path(path) }
    }
    return .nobody
  }

  /// The runs under a label, the latest last.
  func runNames(of label: String) throws -> [String] {
    guard try Files.status(runs(of: label))?.isFolder == true else { return [] }
    return try Files.list(runs(of: label)).sorted { RunFolder.order(ofRun: $0) < RunFolder.order(ofRun: $1) }
  }

  /// Whether the artifacts of these stages are noted already.
  func hasNoted(_ stages: [PlannedStage], of pipeline: PipelineIdentity) throws -> Bool {
    let records = try records(of: pipeline)
    return !needsWriting(records, stages, RecordOrigin(pipeline, in: self))
      && stages.allSatisfy { hasLink(to: $0, in: records.label) }
  }

  /// Notes the artifacts of these stages in the ledger, and as links for people. Writes only changes. From then on the
  /// label belongs to the pipeline.
  ///
  /// - Returns: the label.
  @discardableResult
  func note(_ stages: [PlannedStage], of pipeline: PipelineIdentity) throws -> String {
    var records = try records(of: pipeline)
    let origin = RecordOrigin(pipeline, in: self)
    if needsWriting(records, stages, origin) {
      try Files.makeFolder(ledgers)
      // Another pipeline may take the label, and other runners of this pipeline may note results.
      let lock = try FileLock.waiting(for: ledgerLock)
      defer { withExtendedLifetime(lock) {} }
      records = try self.records(of: pipeline)
      if records.ledger.origin == nil { try keepEarlierLedger(of: records) }
      try records.ledger.noting(changes(in: records.ledger, stages), from: origin).write(to: ledger(of: records.label))
      for former in records.formerLabels {
        Log.note("the records of '\(former)' in \(path) are now those of '\(records.label)', the new name in its file")
        try Files.remove(ledger(of: former))
        try Files.remove(links(label: former))
      }
    }
    for stage in stages where !hasLink(to: stage, in: records.label) {
      let link = link(label: records.label, stage: stage.name)
      try Files.makeFolder(Files.folder(of: link))
      try Files.link(link, to: Self.target(of: stage))
    }
    return records.label
  }

  /// A ledger of an earlier version may hold the last results of several pipelines of one name. One of them takes the
  /// label; the results of the others stay needed.
  private func keepEarlierLedger(of records: StoreRecords) throws {
    guard !records.ledger.records.isEmpty else { return }
    let free = (1...).lazy.map { earlierLedger(of: records.label, number: $0) }.first { !Files.exists($0) }
    if let free { try records.ledger.write(to: free) }
  }

  private func needsWriting(_ records: StoreRecords, _ stages: [PlannedStage], _ origin: RecordOrigin) -> Bool {
    records.ledger.origin != origin || !records.formerLabels.isEmpty || !changes(in: records.ledger, stages).isEmpty
  }

  private func changes(in ledger: Ledger, _ stages: [PlannedStage]) -> [String: Ledger.Record] {
    var changes: [String: Ledger.Record] = [:]
    for stage in stages {
      let record = Ledger.Record(key: stage.key, artifact: stage.output, dependencies: stage.identity.dependencies)
      if ledger[stage.name] != record { changes[stage.name] = record }
    }
    return changes
  }

  private func hasLink(to stage: PlannedStage, in label: String) -> Bool {
    Files.target(ofLink: link(label: label, stage: stage.name)) == Self.target(of: stage)
  }

  private static func target(of stage: PlannedStage) -> String { "../../artifacts/\(Files.name(of: stage.output))" }
}

extension PipelineIdentity {
  /// Whether a path relative to an unknown folder may have named this file.
  fileprivate func mayHaveBeen(_ path: String) -> Bool {
    if path.utf8.starts(with: "/".utf8) { return PipelineIdentity.file(ofExisting: path) == file }
    let names = path.utf8.split(separator: UInt8(ascii: "/")).filter { !$0.elementsEqual(".".utf8) }
    let end = names.drop { $0.elementsEqual("..".utf8) }
    let own = file.text.utf8.split(separator: UInt8(ascii: "/"))
    if end.count <= own.count, zip(own.suffix(end.count), end).allSatisfy({ $0.elementsEqual($1) }) { return true }
    // A link has another name than the file.
    return PipelineIdentity.file(ofExisting: path) == file
  }
}
