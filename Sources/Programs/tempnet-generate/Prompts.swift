import Diagnostics
import Files
import JSON

/// One prompt of a file.
struct PromptText: Equatable {
  /// What the record asks, as it stands there.
  let instruction: String
  /// What Alpaca's records set beside an instruction for it to work on; nil where there is none.
  var input: String?

  /// What is continued: the instruction and, after a blank line, its input.
  var text: String { input.map { "\(instruction)\n\n\($0)" } ?? instruction }
}

/// Reads prompts: JSON lines, or one JSON array, of strings or objects.
struct PromptFile {
  let path: String

  /// Members of which the first that is there is the prompt.
  private static let prompts = ["prompt", "instruction"]
  /// Members that would be part of what the model reads, and are none of ours; refused unless they are empty.
  private static let unread = [
    "messages", "conversations", "conversation", "system", "system_prompt", "context", "history", "documents", "suffix",
    "images",
  ]

  func read() throws -> [PromptText] {
    var records = try JSONRecords(FileReader(path))
    var prompts: [PromptText] = []
    while let record = try records.next() { prompts.append(try Self.prompt(record.json, at: record.place)) }
    guard !prompts.isEmpty else { throw Failure(.badData, "holds no prompts", at: path) }
    return prompts
  }

  /// A string, or an object with a prompt. What else stands in it may say what it is about, but not what the model is to
  /// read.
  private static func prompt(_ json: JSON, at place: String) throws -> PromptText {
    if let text = json.stringValue { return PromptText(instruction: text) }
    let given = prompts.filter { json[$0]?.isNull == false }
    guard let name = given.first, let instruction = json[name]?.stringValue else {
      if let name = given.first, let value = json[name] {
        throw Failure(.badData, "\"\(name)\" must be a string, found \(value.kindName)", at: place)
      }
      throw Failure(.badData, "expected a string, or an object with a \"prompt\" or an \"instruction\"", at: place)
    }
    if given.count > 1, json[given[1]] != json[name] {
      throw Failure(.badData, "has both a \"prompt\" and an \"instruction\"; take one of them out", at: place)
    }
    for name in unread where json[name].map({ !isEmpty($0) }) == true {
      let remedy = name.hasPrefix("system") ? "; --system gives one to all prompts" : ""
      throw Failure(.badData, "has \"\(name)\", which is not read; write it into the prompt\(remedy)", at: place)
    }
    guard let input = json["input"], !isEmpty(input) else { return PromptText(instruction: instruction) }
    guard let text = input.stringValue else {
      throw Failure(.badData, "\"input\" must be a string, found \(input.kindName)", at: place)
    }
    return PromptText(instruction: instruction, input: text)
  }

  private static func isEmpty(_ json: JSON) -> Bool {
    json.isNull || json == "" || json.arrayValue?.isEmpty == true || json.objectValue?.isEmpty == true
  }
}
