import Artifacts
import Diagnostics
import Files

/// Finds the artifacts and work of a store that no pipeline needs any more.
///
/// Needed are: the latest result of every stage of every pipeline; the artifacts that it was made from; work that goes
/// on; and whatever a pipeline's latest run, or one that goes on, makes or reads, because the next run continues
/// interrupted work. The rest was made with settings that have changed since, and can be made again.
public struct Collector {
  public struct Item: Equatable, Sendable {
    public let path: String
    /// In bytes.
    public let size: Int
  }

  /// The parts of a store that its pipelines are not known to need.
  public struct Findings: Equatable, Sendable {
    /// What can be removed, by path.
    public var garbage: [Item] = []
    /// Needed by records of earlier versions alone. These versions did not tell pipelines of one name apart, so such a
    /// pipeline may still be in use, or may be one that has newer records.
    public var kept: [Item] = []
    /// The files and folders of these records.
    public var keepers: [String] = []
    /// Pipelines whose latest results are kept although nobody knows whether they are still in use.
    public var abandoned: [Abandoned] = []
  }

  public struct Abandoned: Equatable, Sendable {
    public let label: String
    /// Where the pipeline's file was; nil where it came through a pipe.
    public let file: String?
    /// The files and folders that state its needs.
    public let records: [String]
  }

  private let store: Store

  public init(_ store: Store) { self.store = store }

  /// What can be removed, by path.
  public func garbage() throws -> [Item] { try findings().garbage }

  public func findings() throws -> Findings {
    guard try Files.status(store.artifacts) != nil else { return Findings() }
    let names = try Files.list(store.artifacts)
    let graph = Graph(names, in: store)
    let needs = try store.needs()
    let needed = graph.needed(by: needs.filter { !$0.isOfEarlierVersion })
    let kept = graph.needed(by: needs)
    var findings = Findings()
    for name in names {
      let artifact = Self.artifact(of: name)
      guard !needed.holds(name), !name.hasSuffix(".lock"), Store.isArtifact(artifact),
        FileLock.holder(ArtifactBuilder.lock(for: "\(store.artifacts)/\(artifact)")) == nil
      else { continue }
      let path = "\(store.artifacts)/\(name)"
      let item = Item(path: path, size: try Self.size(path))
      if kept.holds(name) { findings.kept.append(item) } else { findings.garbage.append(item) }
    }
    let keptNames = findings.kept.map { Files.name(of: $0.path) }
    findings.keepers = needs.filter { need in
      need.isOfEarlierVersion && keptNames.contains(where: graph.needed(by: [need]).holds)
    }.map(\.record)
    findings.abandoned = try store.abandoned()
    return findings
  }

  /// Keeps runs from beginning while the result lives.
  public func lock() throws -> FileLock? {
    try Files.status(store.path) == nil ? nil : FileLock.waiting(for: store.collectionLock)
  }

  /// Removes what `garbage` found.
  ///
  /// - Returns: items that were left alone, because a run has begun to make them meanwhile.
  public func remove(_ items: [Item]) throws -> [Item] {
    try items.filter { item in
      let artifact = "\(store.artifacts)/\(Self.artifact(of: Files.name(of: item.path)))"
      guard let lock = try? FileLock(ArtifactBuilder.lock(for: artifact)) else { return true }
      defer { withExtendedLifetime(lock) {} }
      try Files.remove(item.path)
      if lock.staysAfterwards, try !remains(of: artifact) { try Files.remove(lock.path) }
      return false
    }
  }

  /// Whether an artifact has anything besides its lock.
  private func remains(of artifact: String) throws -> Bool {
    let lock = Files.name(of: ArtifactBuilder.lock(for: artifact))
    return try Files.list(store.artifacts).contains { $0 != lock && Self.artifact(of: $0) == Files.name(of: artifact) }
  }

  /// `fit-0123.partial` and `fit-0123.replaced` belong to `fit-0123`.
  fileprivate static func artifact(of name: String) -> String { String(name.prefix { $0 != "." }) }

  private static func size(_ path: String) throws -> Int {
    guard try Files.status(path)?.isFolder == true else { return try Files.status(path)?.size ?? 0 }
    return try Files.tree(path).reduce(0) { try $0 + (Files.status("\(path)/\($1)")?.size ?? 0) }
  }
}

/// The artifacts that each artifact was made from.
private struct Graph {
  struct Needed {
    /// Folders of whole artifacts.
    var names: Set<String> = []
    /// Artifacts that runs are making, with their work folders and locks.
    var inWork: Set<String> = []

    func holds(_ name: String) -> Bool { names.contains(name) || inWork.contains(Collector.artifact(of: name)) }
  }

  private var namesByKey: [String: String] = [:]
  private var inputsByKey: [String: [String]] = [:]

  init(_ names: [String], in store: Store) {
    for name in names where !name.contains(".") {
      guard let manifest = try? Manifest(of: "\(store.artifacts)/\(name)") else { continue }
      namesByKey[manifest.key] = name
      inputsByKey[manifest.key] = manifest.inputs.map(\.key)
    }
  }

  func needed(by needs: [StoreNeeds]) -> Needed {
    var needed = Needed(inWork: Set(needs.flatMap(\.artifacts)))
    var pending = needs.flatMap(\.keys)
    while let key = pending.popLast() {
      guard let name = namesByKey[key], needed.names.insert(name).inserted else { continue }
      pending += inputsByKey[key, default: []]
    }
    return needed
  }
}
