import Artifacts
import Diagnostics

/// Finds what in a store no pipeline needs any more.
///
/// Needed is what a stage of any pipeline last had, what that was made from, whatever is being made right now, and what
/// a run that goes on, or the latest one of its pipeline, makes or reads: if that was interrupted, the next one
/// continues its work. Everything else came of settings that have changed since, and can be made again.
public struct Collector {
  public struct Item: Equatable, Sendable {
    public let path: String
    /// In bytes.
    public let size: Int
  }

  private let store: Store

  public init(_ store: Store) { self.store = store }

  /// What can be removed, by path.
  public func garbage() throws -> [Item] {
    guard try Files.status(store.artifacts) != nil else { return [] }
    let names = try Files.list(store.artifacts)
    let runs = try needsOfRuns()
    let inUse = Set(runs.flatMap(\.artifacts))
    let needed = try neededArtifacts(among: names, keys: runs.flatMap(\.keys))
    return try names.compactMap { name in
      // `fit-0123.partial` and `fit-0123.replaced` belong to `fit-0123`.
      let artifact = String(name.prefix { $0 != "." })
      let path = "\(store.artifacts)/\(name)"
      guard !needed.contains(name), !name.hasSuffix(".lock"), !inUse.contains(artifact), Store.isArtifact(artifact),
        FileLock.holder(ArtifactBuilder.lock(for: "\(store.artifacts)/\(artifact)")) == nil
      else { return nil }
      return Item(path: path, size: try Self.size(path))
    }
  }

  /// Keeps runs from beginning, for as long as the result lives.
  public func lock() throws -> FileLock? {
    try Files.status(store.path) == nil ? nil : FileLock.waiting(for: store.collectionLock)
  }

  /// Removes what `garbage` found.
  ///
  /// - Returns: what was left alone, because someone has begun to make it meanwhile.
  public func remove(_ items: [Item]) throws -> [Item] {
    try items.filter { item in
      let artifact = "\(store.artifacts)/\(Files.name(of: item.path).prefix { $0 != "." })"
      guard let lock = try? FileLock(ArtifactBuilder.lock(for: artifact)) else { return true }
      defer { withExtendedLifetime(lock) {} }
      try Files.remove(item.path)
      return false
    }
  }

  private func needsOfRuns() throws -> [RunFolder.Needs] {
    guard try Files.status(store.allRuns) != nil else { return [] }
    return try Files.list(store.allRuns).flatMap { pipeline in
      let folder = "\(store.allRuns)/\(pipeline)"
      let runs = try Files.list(folder)
      let latest = runs.max { RunFolder.order(ofRun: $0) < RunFolder.order(ofRun: $1) }
      return try runs.filter { $0 == latest || RunFolder.goesOn("\(folder)/\($0)") }
        .compactMap { try RunFolder.needs(ofRunIn: "\(folder)/\($0)") }
    }
  }

  private func neededArtifacts(among names: [String], keys: [String]) throws -> Set<String> {
    var pathsByKey: [String: String] = [:]
    var inputsByKey: [String: [String]] = [:]
    for name in names where !name.contains(".") {
      guard let manifest = try? Manifest(of: "\(store.artifacts)/\(name)") else { continue }
      pathsByKey[manifest.key] = name
      inputsByKey[manifest.key] = manifest.inputs.map(\.key)
    }
    var pending = try recordedKeys() + keys
    var needed: Set<String> = []
    while let key = pending.popLast() {
      guard let name = pathsByKey[key], needed.insert(name).inserted else { continue }
      pending += inputsByKey[key, default: []]
    }
    return needed
  }

  private func recordedKeys() throws -> [String] {
    guard try Files.status(store.ledgers) != nil else { return [] }
    return try Files.list(store.ledgers).filter { $0.hasSuffix(".json") }.flatMap { name in
      do {
        return try Ledger(reading: "\(store.ledgers)/\(name)").records.values.map(\.key)
      } catch let failure as Failure where failure.status == .badData {
        let remedy = "what its pipeline needs is not known before the next run of that, or until the file is removed"
        throw Failure(.badData, "\(failure.message): \(remedy)", at: failure.place)
      }
    }
  }

  private static func size(_ path: String) throws -> Int {
    guard try Files.status(path)?.isFolder == true else { return try Files.status(path)?.size ?? 0 }
    return try Files.tree(path).reduce(0) { try $0 + (Files.status("\(path)/\($1)")?.size ?? 0) }
  }
}
