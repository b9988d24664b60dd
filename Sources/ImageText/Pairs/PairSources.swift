import Artifacts
import DataDescriptors
import Diagnostics
import Files

/// Pictures and captions at a list of paths, as a stream of samples in a fixed order.
///
/// A path is one of
/// - a descriptor (`.yaml`): the files it lists, each a source of its own;
/// - an archive: webdataset's shard, or imagefolder's form with its metadata first; `a-{000..127}.tar` and `a.tar::b.tar`
///   stand for several;
/// - a folder: of archives, of pictures with `metadata.jsonl` or `metadata.csv`, or of pictures with a text beside each;
/// - a table (`.csv`, `.tsv`) or JSON (`.json`, `.jsonl`) that names pictures below its folder.
public struct PairSources: Sendable {
  public struct Options: Sendable {
    public var fields = PairFields()
    /// The folder below which tables and JSON name pictures; nil for that of the file.
    public var imageRoot: String?
    /// Whether `.txt` holds a caption in each line.
    public var hasCaptionLines = false
    /// What separates the columns of tables; nil to find out.
    public var separator: UInt8?
    /// The most bytes an archive may unpack to; nil for 200 times its size or 1 GiB, whichever is more.
    public var unpackedLimit: Int?

    public init() {}
  }

  /// A part of a source that one reader reads.
  struct Part: Sendable {
    enum Form: Sendable {
      case archive
      case index(isTable: Bool)
      case imageFolder(metadata: [String], pictures: [String])
      case pictures([String])
    }

    let form: Form
    let path: String
    /// The index of the source.
    let source: Int
    var split: String?
    var classes: [String] = []
  }

  public private(set) var sources: [PairSource] = []
  private(set) var parts: [Part] = []
  private let options: Options

  /// - Parameter digests: checks the files of descriptors.
  /// - Throws: `Failure(.missingInput)` for a path that does not exist, `.badData` for one of no known form.
  public init(_ paths: [String], _ options: Options = Options(), digests: FileDigests) throws {
    self.options = options
    for path in paths {
      if PairForm(ofName: path) == .descriptor {
        let descriptor = try DataDescriptor(path)
        try descriptor.check(digests)
        for file in descriptor.files {
          addSource(
            PairSource(
              name: Self.stem(file.name), title: file.title ?? descriptor.title, licence: descriptor.licence,
              origin: descriptor.origin))
          try add(descriptor.path(of: file), split: file.split)
        }
      } else {
        let files = try ShardPattern.expanded(path)
        addSource(PairSource(name: Self.stem(Files.name(of: Self.withoutBraces(path)))))
        for file in files { try add(file) }
      }
    }
  }

  /// Names of sources are different: a second `a` becomes `a-2`.
  private mutating func addSource(_ source: PairSource) {
    var source = source
    let plain = source.name
    var number = 1
    while sources.contains(where: { $0.name == source.name }) {
      number += 1
      source.name = "\(plain)-\(number)"
    }
    sources.append(source)
  }

  private mutating func add(_ path: String, split: String? = nil) throws {
    guard let status = try Files.status(path) else { throw Failure(.missingInput, "there are no such pairs", at: path) }
    let source = sources.count - 1
    if status.isFolder {
      parts += try Self.parts(ofFolder: path, source: source)
      return
    }
    switch PairForm(ofName: path) {
    case .archive: parts.append(Part(form: .archive, path: path, source: source, split: split))
    case .table: parts.append(Part(form: .index(isTable: true), path: path, source: source, split: split))
    case .records: parts.append(Part(form: .index(isTable: false), path: path, source: source, split: split))
    case .descriptor, .unknown:
      throw Failure(
        .badData,
        "is of no known form: archives (.tar, .zip), tables (.csv, .tsv), JSON, folders and descriptors hold pairs",
        at: path)
    }
  }

  private static func parts(ofFolder path: String, source: Int) throws -> [Part] {
    let names = try VisibleFiles.paths(in: path)
    let archives = names.filter { PairForm(ofName: $0) == .archive }
    if !archives.isEmpty {
      let classes = try classNames(in: path)
      return archives.map {
        Part(
          form: .archive, path: "\(path)/\($0)", source: source, split: PairSplit.stated(by: $0), classes: classes)
      }
    }
    let pictures = names.filter(PairForm.isPicture)
    let metadata = names.filter(ArchivedImageFolder.isMetadata)
    guard !pictures.isEmpty || !metadata.isEmpty else {
      throw Failure(.missingInput, "the folder contains neither pictures nor archives", at: path)
    }
    let form: Part.Form =
      metadata.isEmpty ? .pictures(names) : .imageFolder(metadata: metadata, pictures: pictures)
    return [Part(form: form, path: path, source: source)]
  }

  /// The names in CLIP_benchmark's `classnames.txt`; none where there is no such file.
  private static func classNames(in folder: String) throws -> [String] {
    let path = "\(folder)/\(classNamesFile)"
    guard Files.exists(path) else { return [] }
    guard let text = String(validating: try Files.read(path, limit: PairLimits.text), as: UTF8.self) else {
      throw Failure(.badData, "is not UTF-8", at: path)
    }
    return text.split(whereSeparator: \.isNewline).map(String.init)
  }

  static let classNamesFile = "classnames.txt"

  /// A name without its endings.
  private static func stem(_ name: String) -> String {
    let end = name.dropFirst().firstIndex(of: ".") ?? name.endIndex
    return String(name[..<end])
  }

  /// The part of a pattern before its braces and further files.
  private static func withoutBraces(_ pattern: String) -> String {
    var first = String(pattern.prefix { $0 != "{" })
    if let range = first.firstRange(of: "::") { first = String(first[..<range.lowerBound]) }
    while first.utf8.count > 1, let last = first.last, "-_/".contains(last) { first.removeLast() }
    return first
  }

  /// A reader of all samples; every reader gives the same.
  public func reader() -> PairStream { PairStream(self, options) }
}

/// The samples of all sources, one after the other.
public final class PairStream {
  private let sources: PairSources
  private let options: PairSources.Options
  private var part = 0
  private var current: (any PairReader)?

  init(_ sources: PairSources, _ options: PairSources.Options) { (self.sources, self.options) = (sources, options) }

  /// The next sample; nil after the last.
  public func next() throws -> PairItem? {
    while part < sources.parts.count {
      try Interruption.check()
      let reader = try current ?? open(sources.parts[part])
      current = reader
      if let item = try reader.next() { return inPart(item, sources.parts[part]) }
      current = nil
      part += 1
    }
    return nil
  }

  /// A sample that states no split is in its part's, one without licence under its source's.
  private func inPart(_ item: PairItem, _ part: PairSources.Part) -> PairItem {
    guard case .sample(var sample) = item else { return item }
    sample.description.split = sample.description.split ?? part.split
    sample.description.licence = sample.description.licence ?? sources.sources[part.source].licence
    return .sample(sample)
  }

  private func open(_ part: PairSources.Part) throws -> any PairReader {
    let source = sources.sources[part.source].name
    var texts = SampleTexts(fields: options.fields)
    (texts.hasCaptionLines, texts.classes) = (options.hasCaptionLines, part.classes)
    switch part.form {
    case .archive:
      let limit = try options.unpackedLimit ?? Self.plausibleUnpackedSize(of: part.path)
      if let reader = try ArchivedImageFolder.open(
        part.path, source: source, fields: options.fields, unpackedLimit: limit)
      {
        return reader
      }
      return WebDatasetReader(
        try ArchiveReader(part.path, unpackedLimit: limit), source: source, reading: texts)
    case .index(let isTable):
      let index = try Self.index(part.path, isTable: isTable, source: source, options)
      return IndexedPictures(index, below: options.imageRoot ?? Files.folder(of: part.path), source: source)
    case .imageFolder(let metadata, let pictures):
      var index = PictureIndex(options.fields, source: source)
      for name in metadata { try index.add(metadata: FileReader("\(part.path)/\(name)"), name: name) }
      return IndexedPictures(index, below: part.path, source: source, names: pictures)
    case .pictures(let names):
      return PicturesWithTexts(part.path, names: names, source: source, reading: texts)
    }
  }

  static func index(
    _ path: String, isTable: Bool, source: String, _ options: PairSources.Options
  ) throws -> PictureIndex {
    var index = PictureIndex(options.fields, source: source)
    let file = try textSource(path)
    let name = Files.name(of: path)
    if isTable {
      try index.add(tableIn: file, name: name, separator: options.separator)
    } else {
      try index.add(recordsOf: file, name: name)
    }
    return index
  }

  /// A file of text, unpacked where it is compressed.
  private static func textSource(_ path: String) throws -> any ByteSource {
    guard PairForm.isCompressed(path) else { return try FileReader(path) }
    let archive = try ArchiveReader(path, unpackedLimit: plausibleUnpackedSize(of: path))
    guard let entry = try archive.next(), archive.isPacked, !archive.isArchive else {
      throw Failure(.badData, "is no compressed file, although its name says so", at: path)
    }
    return entry
  }

  /// More than pictures and texts unpack to, and a limit for files that were made to fill a disk.
  private static func plausibleUnpackedSize(of path: String) throws -> Int {
    let size = try Files.status(path)?.size ?? 0
    return max(1 << 30, size.multipliedReportingOverflow(by: 200).overflow ? .max : size * 200)
  }
}
