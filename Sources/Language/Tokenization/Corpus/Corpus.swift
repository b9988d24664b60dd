import Artifacts
import DataDescriptors
import Diagnostics
import Files

/// The texts at a list of paths, as a stream of documents in a fixed order.
///
/// A path is one of
/// - a descriptor (`.yaml`): the files it lists, in its order;
/// - a folder: all visible files below it (`VisibleFiles`), sorted by their paths;
/// - JSON (`.jsonl`, `.ndjson`, `.json`): a document per line, or per element of one array, the text in a named field;
/// - an archive or compressed file, recognised by its name: its entries, read like files, in their order;
/// - any other file: one document of text.
///
/// Names are compared without regard to case.
public struct Corpus: Sendable {
  /// The origin of a part of the corpus, for the artifact's summary.
  public struct Source: Equatable, Sendable {
    public let name: String
    public let licence: String?
    public let origin: String?
  }

  private struct Item: Sendable {
    let path: String
    /// Its name in the summary, which does not depend on the corpus's place.
    let name: String
    let split: Split?
    let size: Int
  }

  public let sources: [Source]
  private let items: [Item]
  private let field: FieldPath
  private let format: TextFormat
  private let unpackedLimit: Int?

  /// - Parameters:
  ///   - textField: the field of JSON records that holds the text, or a path to it.
  ///   - format: how texts lie in files.
  ///   - unpackedLimit: the most bytes that a compressed file or archive may unpack to; nil for a plausible size.
  ///   - digests: checks the files of descriptors.
  /// - Throws: `Failure(.missingInput)` for a path that does not exist.
  public init(
    paths: [String], textField: String, format: TextFormat = .auto, unpackedLimit: Int?, digests: FileDigests
  ) throws {
    var sources: [Source] = []
    var items: [Item] = []
    for path in paths {
      guard let status = try Files.status(path) else { throw Failure.missing("text", at: path) }
      if !status.isFolder && DataDescriptor.isDescriptor(path) {
        let descriptor = try DataDescriptor(path)
        try descriptor.check(digests)
        items += try descriptor.files.map {
          Item(path: descriptor.path(of: $0), name: $0.name, split: try Self.split($0, path), size: $0.size)
        }
        sources.append(Source(name: descriptor.title, licence: descriptor.licence, origin: descriptor.origin))
      } else {
        items += try Self.items(path, status)
        sources.append(Source(name: Self.name(of: path), licence: nil, origin: nil))
      }
    }
    self.sources = sources
    self.items = items
    field = FieldPath(textField)
    self.format = format
    self.unpackedLimit = unpackedLimit
  }

  private static func split(_ file: DataDescriptor.File, _ descriptor: String) throws -> Split? {
    try file.split.map { name in
      guard let split = Split(rawValue: name) else {
        throw Failure(
          .badConfiguration, "'\(file.name)' is of the split '\(name)'; texts are for train, validation or test",
          at: descriptor)
      }
      return split
    }
  }

  private static func items(_ path: String, _ status: FileStatus) throws -> [Item] {
    guard status.isFolder else {
      return [Item(path: path, name: Files.name(of: path), split: nil, size: status.size)]
    }
    let names = try VisibleFiles.paths(in: path)
    guard !names.isEmpty else { throw Failure(.missingInput, "the folder contains no text", at: path) }
    return try names.map {
      Item(path: "\(path)/\($0)", name: $0, split: nil, size: try Files.status("\(path)/\($0)")?.size ?? 0)
    }
  }

  /// Whether descriptors state the split of every document.
  public var hasSplits: Bool { items.allSatisfy { $0.split != nil } }

  /// The splits that descriptors state.
  public var splits: Set<Split> { Set(items.compactMap(\.split)) }

  /// The last component of a path, also of `texts/`.
  private static func name(of path: String) -> String {
    let end = path.utf8.lastIndex { $0 != UInt8(ascii: "/") }.map { path.utf8.index(after: $0) } ?? path.endIndex
    return Files.name(of: String(path[..<end]))
  }

  /// The number of bytes of all documents, if the sizes of the files give it.
  public var expectedBytes: Int? {
    items.allSatisfy { TextContainer(ofName: $0.path, format) == .text } ? items.reduce(0) { $0 + $1.size } : nil
  }

  /// Passes all documents to a receiver. Every call passes the same, so a corpus can be read several times.
  ///
  /// - Parameter findings: collects irregularities of the texts. This takes some time; one of several passes is enough.
  /// - Throws: `Failure`: `.badData` for a broken archive or record, and, with findings, for a file that is not UTF-8
  ///   text; `.tryAgain` after an interruption.
  public func read(into receiver: some DocumentReceiver<Split?>, noting findings: CorpusFindings? = nil) throws {
    let reading = CorpusReading(field: field, format: format, receiver: receiver, findings: findings)
    for item in items {
      switch TextContainer(ofName: item.path, format) {
      case .packed: try readPacked(item, reading, findings)
      case let container:
        try reading.read(FileReader(item.path), as: container, item.split, name: item.name, size: item.size)
      }
    }
  }

  private func readPacked(
    _ item: Item, _ reading: CorpusReading<some DocumentReceiver<Split?>>, _ findings: CorpusFindings?
  ) throws {
    let archive = try ArchiveReader(
      item.path, unpackedLimit: unpackedLimit ?? Self.plausibleUnpackedSize(packed: item.size))
    while let entry = try archive.next() {
      try checkThatPacked(archive)
      let container = TextContainer(ofName: entry.entryName, format)
      if container == .packed {
        throw Failure(.badData, "is packed once more; unpack the outer archive first", at: entry.name)
      }
      let name = archive.isArchive ? "\(item.name): \(entry.entryName)" : item.name
      try reading.read(entry, as: container, item.split, name: name, size: nil)
    }
    try checkThatPacked(archive)
    for link in archive.links {
      guard TextContainer(ofName: link.name, format) == TextContainer(ofName: link.target ?? "", format) else {
        throw Failure(
          .badData,
          "the entry '\(link.name)' is a link to '\(link.target ?? "")', whose name says that it is read in another way; "
            + "unpack the archive into a folder and give that", at: item.path)
      }
      findings?.noteLinks(1, first: "\(item.path), entry '\(link.name)'")
    }
  }

  /// Refuses a file that is not packed: it may be the error page of a failed download.
  private func checkThatPacked(_ archive: ArchiveReader) throws {
    guard archive.isPacked else {
      throw Failure(.badData, "is neither an archive nor compressed, although its name says so", at: archive.path)
    }
  }

  /// More than any text unpacks to, and a limit for files that were made to fill a disk.
  static func plausibleUnpackedSize(packed: Int) -> Int {
    max(1 << 30, packed.multipliedReportingOverflow(by: 200).overflow ? .max : packed * 200)
  }
}

/// How a file contains texts, by its name or by the configuration.
enum TextContainer: Equatable {
  case text, json, packed

  private static let jsonSuffixes = [".jsonl", ".ndjson", ".json", ".jsonlines", ".ldjson"]
  private static let packedSuffixes = PackedEndings.compressions + PackedEndings.archives

  init(ofName name: String, _ format: TextFormat = .auto) {
    let name = name.lowercased().utf8
    func hasEnding(_ endings: [String]) -> Bool {
      endings.contains { name.suffix($0.utf8.count).elementsEqual($0.utf8) }
    }
    if hasEnding(Self.packedSuffixes) {
      self = .packed
      return
    }
    switch format {
    case .auto: self = hasEnding(Self.jsonSuffixes) ? .json : .text
    case .text: self = .text
    case .json: self = .json
    }
  }
}
