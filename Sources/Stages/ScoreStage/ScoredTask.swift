import Diagnostics
import Files
import JSON
import LanguageEvaluation

/// A task as it was scored: its items, and the sequences of each request.
public struct ScoredTask: Sendable {
  public let description: TaskScores.Description
  public let items: [ScoringTask.Item]
  /// The sequences of each request of each item, in order.
  public let ranges: [[Range<Int>]]
  public let mergedJoins: Int
  public let truncated: Int

  public var sequenceCount: Int { ranges.last(where: { !$0.isEmpty })?.last?.upperBound ?? 0 }

  init(_ task: ScoringTask, _ encoded: EncodedTask, beginning: String) {
    description = TaskScores.Description(
      name: task.name, version: task.version, prompts: task.prompts, dataDigest: task.dataDigest, beginning: beginning)
    items = task.items
    ranges = encoded.ranges
    (mergedJoins, truncated) = (encoded.mergedJoins, encoded.truncated)
  }

  /// The scores of all requests, from those of sequences.
  public func scores(_ sequences: [SequenceScore], _ policies: [String]) -> TaskScores {
    TaskScores(
      description: description, policies: policies,
      items: zip(items, ranges).map { item, ranges in
        TaskScores.Item(
          answer: item.answer, group: item.group,
          requests: ranges.map { RequestScore(sequences[$0], policies: policies.count) })
      },
      mergedJoins: mergedJoins, truncated: truncated)
  }
}

// MARK: - Files

extension ScoredTask {
  static func recordsName(_ task: String) -> String { "task-\(task).safetensors" }
  static func requestsName(_ task: String) -> String { "requests-\(task).jsonl" }

  /// The facts that `records.json` states of the task.
  var json: JSON {
    [
      "task": .string(description.name), "version": .string(description.version),
      "prompts": .string(description.prompts), "data_sha256": .string(description.dataDigest),
      "beginning": .string(description.beginning), "merged_joins": .integer(mergedJoins),
      "truncated": .integer(truncated),
    ]
  }

  /// Writes a line for each item: its requests, the lengths by which scores are divided, and its sequences.
  func writeRequests(to path: String) throws {
    let writer = try FileWriter(path)
    for (item, ranges) in zip(items, ranges) {
      try writer.write(Self.line(item, ranges).compact + "\n")
    }
    try writer.synchronise()
    try writer.close()
  }

  private static func line(_ item: ScoringTask.Item, _ ranges: [Range<Int>]) -> JSON {
    let group: [(String, JSON)] = item.group.map { [("group", .string($0))] } ?? []
    let members: [(String, JSON)] = [
      ("id", item.identifier ?? .null), ("answer", item.answer.json),
      (
        "requests",
        .array(
          zip(item.requests, ranges).map { request, range in
            [
              "context": .string(request.context), "continuation": .string(request.continuation),
              "page": .bool(request.isPage), "sequences": [.integer(range.lowerBound), .integer(range.upperBound)],
            ]
          })
      ),
    ]
    return .object(JSONObject(members + group))
  }

  /// Reads what ``json`` and ``writeRequests(to:)`` wrote.
  init(_ json: inout JSONFields, requests path: (String) throws -> String) throws {
    let name = try json.string("task")
    description = TaskScores.Description(
      name: name, version: try json.string("version"), prompts: try json.string("prompts"),
      dataDigest: try json.string("data_sha256"), beginning: try json.string("beginning"))
    (mergedJoins, truncated) = (try json.integer("merged_joins"), try json.integer("truncated"))
    try json.finish()
    var (items, ranges) = ([ScoringTask.Item](), [[Range<Int>]]())
    let file = try path(Self.requestsName(name))
    for (number, line) in zip(1..., try Files.read(file).split(separator: UInt8(ascii: "\n"))) {
      let place = "\(file), line \(number)"
      var fields = try JSONFields(try JSON(parsing: Array(line), source: place, for: .strict), source: place)
      let (item, own) = try Self.item(&fields, from: ranges.last(where: { !$0.isEmpty })?.last?.upperBound ?? 0, place)
      items.append(item)
      ranges.append(own)
    }
    guard !items.isEmpty else { throw Failure(.badData, "holds no items", at: file) }
    (self.items, self.ranges) = (items, ranges)
  }

  private static func item(
    _ fields: inout JSONFields, from first: Int, _ place: String
  ) throws -> (ScoringTask.Item, [Range<Int>]) {
    let identifier = try fields.value("id")
    var answer = try fields.fields("answer")
    var next = first
    var (requests, ranges) = ([ScoringTask.Request](), [Range<Int>]())
    for var request in try fields.list("requests") {
      let (context, continuation) = (try request.string("context"), try request.string("continuation"))
      let isPage = try request.boolean("page")
      let bounds = try request.array("sequences").compactMap(\.intValue)
      guard bounds.count == 2, bounds[0] == next, bounds[1] >= next else {
        throw request.failure("sequences", "must follow those of the request before")
      }
      try request.finish()
      next = bounds[1]
      ranges.append(bounds[0]..<bounds[1])
      requests.append(ScoringTask.Request(context: context, continuation: continuation, isPage: isPage))
    }
    let group = try fields.optionalString("group")
    try fields.finish()
    let read = try TaskAnswer(&answer, requests: requests.count)
    return (
      ScoringTask.Item(
        identifier: identifier.isNull ? nil : identifier, group: group, answer: read, requests: requests, place: place),
      ranges
    )
  }
}

extension TaskAnswer {
  fileprivate var json: JSON {
    switch self {
    case .choice(let gold, let choices):
      ["kind": "choice", "gold": .integer(gold), "choices": .array(choices.map(\.json))]
    case .target(let size): ["kind": "target", "size": size.json]
    case .page(let size): ["kind": "page", "size": size.json]
    }
  }

  /// - Parameter count: of the item's requests.
  fileprivate init(_ fields: inout JSONFields, requests count: Int) throws {
    switch try fields.string("kind") {
    case "choice":
      let gold = try fields.integer("gold")
      let choices = try fields.array("choices").map { try TextSize($0, fields) }
      guard choices.indices.contains(gold), [choices.count, 2 * choices.count].contains(count) else {
        throw fields.failure("gold", "is \(gold), of \(choices.count) choices in \(count) requests")
      }
      self = .choice(gold: gold, choices: choices)
    case "target": self = .target(try TextSize(fields.value("size"), fields))
    case "page": self = .page(try TextSize(fields.value("size"), fields))
    case let kind: throw fields.failure("kind", "is \"\(kind)\", expected choice, target or page")
    }
    try fields.finish()
  }
}

extension TextSize {
  fileprivate var json: JSON { [.integer(characters), .integer(bytes), .integer(words)] }

  fileprivate init(_ json: JSON, _ fields: JSONFields) throws {
    let sizes = (json.arrayValue ?? []).compactMap(\.intValue)
    guard sizes.count == 3, sizes.allSatisfy({ $0 >= 0 }) else {
      throw fields.failure("size", "must be three whole numbers: characters, bytes, words")
    }
    self.init(characters: sizes[0], bytes: sizes[1], words: sizes[2])
  }
}
