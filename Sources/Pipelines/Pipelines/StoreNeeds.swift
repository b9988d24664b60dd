import Diagnostics
import Files
import JSON

/// The artifacts and work of a store that a ledger or a run needs.
struct StoreNeeds {
  /// The file or folder that states these needs, for people.
  let record: String
  /// Of the artifacts that its stages made or make, and read.
  let keys: [String]
  /// Names of the folders that its stages make.
  let artifacts: Set<String>
  /// Whether an earlier version wrote the record, and another pipeline has taken its place since: then nobody knows
  /// whether its own pipeline is still in use.
  let isOfEarlierVersion: Bool

  fileprivate init(_ run: RunRecord, isOfEarlierVersion: Bool) {
    record = run.path
    keys = run.stages.flatMap { [$0.key] + $0.inputs }
    artifacts = Set(run.stages.map(\.artifact))
    self.isOfEarlierVersion = isOfEarlierVersion
  }

  fileprivate init(_ ledger: Ledger, in file: String, isOfEarlierVersion: Bool) {
    (record, keys, artifacts) = (file, ledger.records.values.map(\.key), [])
    self.isOfEarlierVersion = isOfEarlierVersion
  }
}

extension Store {
  /// The needs of all ledgers, of the runs that go on, and of each pipeline's latest run.
  func needs() throws -> [StoreNeeds] { try needsOfLedgers() + needsOfRuns() }

  func ledgerFiles() throws -> [String] {
    guard try Files.status(ledgers) != nil else { return [] }
    return try Files.list(ledgers).filter { $0.hasSuffix(".json") }.map { "\(ledgers)/\($0)" }
  }

  private func needsOfLedgers() throws -> [StoreNeeds] {
    try ledgerFiles().map { file in
      do {
        let isEarlier = Files.name(of: file).contains(".earlier-")
        return StoreNeeds(try Ledger(reading: file), in: file, isOfEarlierVersion: isEarlier)
      } catch let failure as Failure where failure.status == .badData {
        let remedy = "the needs of its pipeline are unknown until the pipeline runs again or the file is removed"
        throw Failure(.badData, "\(failure.message): \(remedy)", at: failure.place)
      }
    }
  }

  private func needsOfRuns() throws -> [StoreNeeds] {
    guard try Files.status(allRuns) != nil else { return [] }
    let files = Set(try ledgerFiles().compactMap { try Ledger(readingIfWhole: $0).origin?.path })
    return try Files.list(allRuns).flatMap { try needsOfRuns(under: $0, filesWithLedgers: files) }
  }

  /// Runs under one label are of one pipeline. Those of earlier versions are the exception; they are told apart by the
  /// path that their file was given by. If a label has no ledger, but the file of its runs has one under another label,
  /// the pipeline was renamed: only its runs that go on count.
  private func needsOfRuns(under label: String, filesWithLedgers files: Set<String>) throws -> [StoreNeeds] {
    var seen: Set<ExactString> = []
    let hasLedger = Files.exists(ledger(of: label))
    let isTaken = try Ledger(readingIfWhole: ledger(of: label)).origin != nil
    return try runNames(of: label).reversed().compactMap { name in
      let folder = "\(runs(of: label))/\(name)"
      guard let record = try record(ofRunIn: folder) else { return nil }
      let isEarlier = record.origin == nil
      let wasLeft = !hasLedger && record.origin?.path.map(files.contains) == true
      let pipeline = isEarlier ? "path \(record.source ?? "")" : "label"
      let isLatest = seen.insert(ExactString(pipeline)).inserted
      guard isLatest && !wasLeft || RunFolder.goesOn(folder) else { return nil }
      return StoreNeeds(record, isOfEarlierVersion: isEarlier && isTaken)
    }
  }

  private func record(ofRunIn folder: String) throws -> RunRecord? {
    do {
      return try RunRecord(of: folder)
    } catch let failure as Failure where failure.status == .badData {
      throw Failure(
        .badData,
        "\(failure.message): the needs of this run are unknown; remove its folder unless you want to continue it",
        at: failure.place)
    }
  }

  /// Pipelines whose file is no longer in its place (it may have been moved, or lie on another machine), and pipelines
  /// that came through pipes.
  func abandoned() throws -> [Collector.Abandoned] {
    try ledgerFiles().compactMap { file in
      guard let origin = try Ledger(reading: file).origin, !(origin.path.map(Files.exists) ?? false) else { return nil }
      let label = label(ofLedger: file)
      let runs = runs(of: label)
      return Collector.Abandoned(
        label: label, file: origin.path, records: [file] + (Files.exists(runs) ? [runs] : []))
    }
  }
}
