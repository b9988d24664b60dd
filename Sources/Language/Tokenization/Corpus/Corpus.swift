import Artifacts
import Diagnostics
import Files

/// The texts that a list of paths stands for, as a stream of documents in a fixed order.
///
/// A path is one of
/// - a descriptor (`.yaml`): the files it lists, in its order;
/// - a folder: all visible files below it (`VisibleFiles`), sorted by their paths;
/// - JSON (`.jsonl`, `.ndjson`, `.json`): a document per line, or per element of one array, the text in a named field;
/// - an archive or compressed file, known by its name: what it holds, as if it lay in a folder, in its order;
/// - any other file: one document of text.
///
/// Names are compared without regard to capitals.
public struct Corpus: Sendable {
  /// Where a part of the corpus comes from, for the artifact's summary.
  public struct Source: Equatable, Sendable {
    public let name: String
    public let licence: String?
    public let origin: String?
  }

  private struct Item: Sendable {
    let path: String
    /// What the summary calls it, wherever the corpus lies.
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
  ///   - unpackedLimit: how many bytes a compressed file or archive may unpack to; nil for as many as texts ever do.
  ///   - digests: checks the files of descriptors.
  /// - Throws: `Failure(.missingInput)` for what does not exist.
  public init(
    paths: [String], textField: String, format: TextFormat = .auto, unpackedLimit: Int?, digests: FileDigests
  ) throws {
    var sources: [Source] = []
    var items: [Item] = []
    for path in paths {
      guard let status = try Files.status(path) else { throw Failure(.missingInput, "there is no such text", at: path) }
      if !status.isFolder && DataDescriptor.isDescriptor(path) {
        let descriptor = try DataDescriptor(path)
        try descriptor.check(digests)
        items += descriptor.files.map {
          Item(path: descriptor.path(of: $0), name: $0.name, split: $0.split, size: $0.size)
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

  private static func items(_ path: String, _ status: FileStatus) throws -> [Item] {
    guard status.isFolder else {
      return [Item(path: path, name: Files.name(of: path), split: nil, size: status.size)]
    }
    let names = try VisibleFiles.paths(in: path)
    guard !names.isEmpty else { throw Failure(.missingInput, "the folder holds no text", at: path) }
    return try names.map {
      Item(path: "\(path)/\($0)", name: $0, split: nil, size: try Files.status("\(path)/\($0)")?.size ?? 0)
    }
  }

  /// Whether every document belongs to a split whatever the fractions are.
  public var hasSplits: Bool { items.allSatisfy { $0.split != nil } }

  /// The splits that descriptors give to documents.
  public var splits: Set<Split> { Set(items.compactMap(\.split)) }

  /// The last component of a path, also of `texts/`.
  private static func name(of path: String) -> String {
    let end = path.utf8.lastIndex { $0 != UInt8(ascii: "/") }.map { path.utf8.index(after: $0) } ?? path.endIndex
    return Files.name(of: String(path[..<end]))
  }

  /// The number of bytes to expect, where the files tell it without being read.
  public var expectedBytes: Int? {
    items.allSatisfy { TextContainer(ofName: $0.path, format) == .text } ? items.reduce(0) { $0 + $1.size } : nil
  }

  /// Hands over all documents. The same every time, so that a corpus can be read in several passes.
  ///
  /// - Parameter findings: takes down what is odd about the texts, which costs a little: for one of the passes.
  /// - Throws: `Failure`: `.badData` for a broken archive or record, and, where findings are taken down, for what is no
  ///   text in UTF-8; `.tryAgain` when an interruption was asked for.
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

  /// A page that says why a download failed, or the few bytes that came of it, is no text to learn from.
  private func checkThatPacked(_ archive: ArchiveReader) throws {
    guard archive.isPacked else {
      throw Failure(.badData, "is no archive and not compressed, though its name says so", at: archive.path)
    }
  }

  /// Far more than any text unpacks to, and little enough that files which were made to fill a disk do not.
  static func plausibleUnpackedSize(packed: Int) -> Int {
    max(1 << 30, packed.multipliedReportingOverflow(by: 200).overflow ? .max : packed * 200)
  }
}

/// How texts lie in a file, as its name says, or as was stated for all of them.
enum TextContainer: Equatable {
  case text, json, packed

  private static let jsonSuffixes = [".jsonl", ".ndjson", ".json", ".jsonlines", ".ldjson"]
  private static let packedSuffixes = [
    ".gz", ".bz2", ".xz", ".lzma", ".zst", ".lz4", ".tar", ".tgz", ".tbz2", ".txz", ".tzst", ".zip", ".7z",
  ]

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
