import Diagnostics
import Files
import JSON
import Tasks

/// Items that a model is scored on.
public struct ScoringTask: Sendable {
  /// One text to be predicted after another.
  public struct Request: Equatable, Sendable {
    /// Empty for continuations without a context and for whole pages.
    public let context: String
    public let continuation: String
    /// Whether the continuation is a whole text, which may be longer than the model's context.
    public let isPage: Bool

    init(_ context: String, _ continuation: String) {
      (self.context, self.continuation, isPage) = (context, continuation, false)
    }

    init(page: String) { (context, continuation, isPage) = ("", page, true) }

    public init(context: String, continuation: String, isPage: Bool) {
      (self.context, self.continuation, self.isPage) = (context, continuation, isPage)
    }
  }

  public struct Item: Equatable, Sendable {
    /// Its name in the data set, if it has one.
    public let identifier: JSON?
    /// What it shares with items that belong together with it, if the data say so.
    public let group: String?
    public let answer: TaskAnswer
    /// As `TaskAnswer` says.
    public let requests: [Request]
    /// Where it stands, for messages.
    public let place: String

    public init(
      identifier: JSON?, group: String? = nil, answer: TaskAnswer, requests: [Request], place: String
    ) {
      (self.identifier, self.group, self.answer) = (identifier, group, answer)
      (self.requests, self.place) = (requests, place)
    }

    /// Whether the same figures can be stated about both.
    fileprivate func isLike(_ other: Item) -> Bool {
      answer.isLike(other.answer) && hasUnconditional == other.hasUnconditional
    }

    private var hasUnconditional: Bool {
      if case .choice(_, let choices) = answer { requests.count > choices.count } else { false }
    }
  }

  public let name: String
  public let version: String
  /// In words: whose prompts.
  public let prompts: String
  /// SHA-256 of the file of data.
  public let dataDigest: String
  /// At least one; all with answers of one kind.
  public let items: [Item]

  /// Reads a task's data.
  ///
  /// - Parameter limit: the largest number of items; the task's own limit holds as well.
  /// - Throws: `Failure(.badData)` with file and line of what is wrong, `.missingInput`.
  public init(_ file: TaskFile, limit: Int? = nil) throws {
    let limit = [file.limit, limit].compactMap { $0 }.min()
    name = file.name
    dataDigest = try SHA256.hex(ofFile: file.data)
    switch file.format {
    case .harness(let task):
      version = task.version
      prompts = "lm-evaluation-harness 0.4.13, \(task.rawValue), no examples"
      items = try HarnessData(task: task, hasMutualInformation: file.hasMutualInformation).items(
        file.data, limit: limit)
    case .requests:
      let requests = try RequestFile(path: file.data, configuration: file.configuration)
      version = requests.version
      prompts = requests.prompts
      items = try requests.items(limit: limit)
    }
    guard let first = items.first else { throw Failure(.badData, "holds no items", at: file.data) }
    if let odd = items.first(where: { !$0.isLike(first) }) {
      throw Failure(.badData, "the item has another kind of answer than the first one", at: odd.place)
    }
  }
}

extension JSON {
  /// The group of an item or request: a text or a number, so that data sets' own names of sources can stand there.
  var group: String? { self["group"].flatMap { $0.isNull ? nil : $0.stringValue ?? $0.compact } }
}

/// The records of a JSON file that may be compressed, each with its place.
enum TaskRecords {
  /// The most bytes that data may unpack to: data sets have a few hundred megabytes, larger files were made to do harm.
  private static let unpackedLimit = 1 << 33

  /// Calls `body` with each record, until it says that it has seen enough.
  static func read(_ path: String, _ body: (_ record: JSON, _ place: String) throws -> Bool) throws {
    let archive = try ArchiveReader(path, unpackedLimit: unpackedLimit)
    // An empty file has no entry.
    guard let entry = try archive.next() else {
      if archive.isPacked { throw Failure(.badData, "holds no file", at: path) }
      return
    }
    var records = try JSONRecords(archive.isArchive ? entry : CompressedFile(path, entry))
    while let record = try records.next() {
      guard try body(record.json, record.place) else { return }
    }
    if let another = try archive.next() {
      throw Failure(
        .badData, "holds several files, '\(entry.entryName)' and '\(another.entryName)'; a task is read from one",
        at: path)
    }
  }

  /// A file whose one entry needs no name.
  private final class CompressedFile: ByteSource {
    let name: String
    private let content: any ByteSource

    init(_ path: String, _ content: any ByteSource) { (name, self.content) = (path, content) }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int { try content.read(into: buffer) }
  }
}
