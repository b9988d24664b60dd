import Artifacts
import Diagnostics

/// The texts that a list of paths stands for, as a stream of documents in a fixed order.
///
/// A path is one of
/// - a descriptor (`.yaml`): the files it lists, in its order;
/// - a folder: all files below it, sorted by their paths, without those whose name or folder begins with a point;
/// - JSON lines (`.jsonl`, `.ndjson`): a document per line, the text in a named field;
/// - an archive or compressed file, known by its name: what it holds, as if it lay in a folder, in its order;
/// - any other file: one document of text.
public struct Corpus: Sendable {
  /// Where a part of the corpus comes from, for the artifact's summary.
  public struct Source: Equatable, Sendable {
    public let name: String
    public let licence: String?
    public let origin: String?
  }

  private struct Item: Sendable {
    let path: String
    let split: Split?
    let size: Int
  }

  public let sources: [Source]
  private let items: [Item]
  private let textField: String
  private let unpackedLimit: Int?

  /// - Parameters:
  ///   - textField: the field of JSON lines that holds the text.
  ///   - unpackedLimit: how many bytes a compressed file or archive may unpack to; nil for as many as texts ever do.
  ///   - digests: checks the files of descriptors.
  /// - Throws: `Failure(.missingInput)` for what does not exist.
  public init(paths: [String], textField: String, unpackedLimit: Int?, digests: FileDigests) throws {
    var sources: [Source] = []
    var items: [Item] = []
    for path in paths {
      guard let status = try Files.status(path) else { throw Failure(.missingInput, "there is no such text", at: path) }
      if DataDescriptor.isDescriptor(path) {
        let descriptor = try DataDescriptor(path)
        try descriptor.check(digests)
        items += descriptor.files.map { Item(path: descriptor.path(of: $0), split: $0.split, size: $0.size) }
        sources.append(Source(name: descriptor.title, licence: descriptor.licence, origin: descriptor.origin))
      } else {
        let files = status.isFolder ? try Self.visibleFiles(in: path) : [path]
        guard !files.isEmpty else { throw Failure(.missingInput, "the folder holds no text", at: path) }
        items += try files.map { Item(path: $0, split: nil, size: try Files.status($0)?.size ?? 0) }
        sources.append(Source(name: Files.name(of: path), licence: nil, origin: nil))
      }
    }
    self.sources = sources
    self.items = items
    self.textField = textField
    self.unpackedLimit = unpackedLimit
  }

  private static func visibleFiles(in folder: String) throws -> [String] {
    try Files.tree(folder).filter { !$0.split(separator: "/").contains { $0.hasPrefix(".") } }
      .map { "\(folder)/\($0)" }
  }

  /// Whether every document belongs to a split whatever the fractions are.
  public var hasSplits: Bool { items.allSatisfy { $0.split != nil } }

  /// The splits that descriptors give to documents.
  public var splits: Set<Split> { Set(items.compactMap(\.split)) }

  /// The number of bytes to expect, where the files tell it without being read.
  public var expectedBytes: Int? {
    items.allSatisfy { TextContainer(ofName: $0.path) == .text } ? items.reduce(0) { $0 + $1.size } : nil
  }

  /// Hands over all documents. The same every time, so that a corpus can be read in several passes.
  ///
  /// - Throws: `Failure`: `.badData` for a broken archive or line, `.tryAgain` when an interruption was asked for.
  public func read(into receiver: some DocumentReceiver<Split?>) throws {
    for item in items {
      switch TextContainer(ofName: item.path) {
      case .text: try readText(FileReader(item.path), item.split, receiver)
      case .lines: try readLines(FileReader(item.path), item.split, receiver)
      case .packed: try readPacked(item, receiver)
      }
    }
  }

  private func readPacked(_ item: Item, _ receiver: some DocumentReceiver<Split?>) throws {
    let archive = try ArchiveReader(
      item.path, unpackedLimit: unpackedLimit ?? Self.plausibleUnpackedSize(packed: item.size))
    while let entry = try archive.next() {
      try checkThatPacked(archive)
      switch TextContainer(ofName: entry.entryName) {
      case .text: try readText(entry, item.split, receiver)
      case .lines: try readLines(entry, item.split, receiver)
      case .packed: throw Failure(.badData, "is packed once more; unpack the outer archive first", at: entry.name)
      }
    }
    try checkThatPacked(archive)
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

  private func readText(
    _ source: any ByteSource, _ split: Split?, _ receiver: some DocumentReceiver<Split?>
  ) throws {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: FileReader.bufferSize, alignment: 64)
    defer { buffer.deallocate() }
    try receiver.begin(split)
    var isFirst = true
    while case let count = try source.read(into: buffer), count > 0 {
      try Interruption.check()
      let bytes = UnsafeBufferPointer(rebasing: buffer.bindMemory(to: UInt8.self)[..<count])
      if isFirst, let problem = TextCheck.problem(bytes) { throw Failure(.badData, problem, at: source.name) }
      isFirst = false
      try receiver.append(bytes)
    }
    try receiver.end()
  }

  private func readLines(
    _ source: any ByteSource, _ split: Split?, _ receiver: some DocumentReceiver<Split?>
  ) throws {
    var lines = LineReader(source)
    while let line = try lines.next() {
      try Interruption.check()
      if line.allSatisfy(isBlank) { continue }
      var text = try text(ofLine: line, lines.number, source.name)
      try receiver.begin(split)
      try text.withUTF8 { try receiver.append($0) }
      try receiver.end()
    }
  }

  private func text(ofLine line: ArraySlice<UInt8>, _ number: Int, _ source: String) throws -> String {
    let json = try JSON(parsing: line, source: source, line: number)
    func failure(_ message: String) -> Failure { Failure(.badData, message, at: "\(source), line \(number)") }
    guard let object = json.objectValue else {
      throw failure("is \(json.kindName), not an object with the field '\(textField)'")
    }
    guard let value = object[textField] else {
      let names = object.keys.prefix(20).map { "'\($0)'" }.joined(separator: ", ")
      let hint = nearest(to: textField, in: object.keys).map { "did you mean '\($0)'?" }
      throw failure(
        "has no field '\(textField)'; \(hint ?? (names.isEmpty ? "it has none" : "its fields are \(names)"))")
    }
    guard let text = value.stringValue else {
      throw failure("the field '\(textField)' holds \(value.kindName), not a text")
    }
    return text
  }
}

/// White space that may stand between JSON texts.
private func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0D }

/// What a file's name says about how texts lie in it.
enum TextContainer: Equatable {
  case text, lines, packed

  private static let lineSuffixes = [".jsonl", ".ndjson"]
  private static let packedSuffixes = [
    ".gz", ".bz2", ".xz", ".lzma", ".zst", ".lz4", ".tar", ".tgz", ".tbz2", ".txz", ".tzst", ".zip", ".7z",
  ]

  init(ofName name: String) {
    let name = name.lowercased()
    if Self.lineSuffixes.contains(where: name.hasSuffix) {
      self = .lines
    } else {
      self = Self.packedSuffixes.contains(where: name.hasSuffix) ? .packed : .text
    }
  }
}
