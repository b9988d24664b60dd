import Artifacts
import Diagnostics

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
    var bytes = try Files.read(path)[...]
    if let encoding = Self.wideEncoding(bytes) {
      throw Failure(
        .badData, "is \(encoding), and has to be UTF-8; iconv -f \(encoding) -t UTF-8 rewrites it", at: path)
    }
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes = bytes.dropFirst(3) }
    // AlpacaEval's instructions are one array.
    let isArray = bytes.first { !Self.isBlank($0) } == UInt8(ascii: "[")
    let prompts = isArray ? try entries(bytes) : try lines(bytes)
    guard !prompts.isEmpty else { throw Failure(.badData, "holds no prompts", at: path) }
    return prompts
  }

  private func entries(_ bytes: ArraySlice<UInt8>) throws -> [PromptText] {
    let entries = try JSON(parsing: Array(bytes), source: path).arrayValue ?? []
    return try entries.enumerated().map { try Self.prompt($1, at: "\(path), entry \($0 + 1)") }
  }

  private func lines(_ bytes: ArraySlice<UInt8>) throws -> [PromptText] {
    let end = UInt8(ascii: bytes.contains(UInt8(ascii: "\n")) ? "\n" : "\r")
    return try bytes.split(separator: end, omittingEmptySubsequences: false).enumerated()
      .filter { !$0.element.allSatisfy(Self.isBlank) }
      .map { index, line in
        try Self.prompt(JSON(parsing: line, source: path, line: index + 1), at: "\(path), line \(index + 1)")
      }
  }

  /// A string, or an object with a prompt. What else stands in it may say what it is about, but not what the model is to
  /// read.
  private static func prompt(_ json: JSON, at place: String) throws -> PromptText {
    if let text = json.stringValue { return PromptText(instruction: text) }
    let given = prompts.filter { json[$0]?.isNull == false }
    guard let name = given.first, let instruction = json[name]?.stringValue else {
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

  private static func isBlank(_ byte: UInt8) -> Bool { " \t\r\n".utf8.contains(byte) }

  /// UTF-16 or UTF-32, by its mark, or by the zeros beside its first character, which is one of ASCII in JSON.
  private static func wideEncoding(_ bytes: ArraySlice<UInt8>) -> String? {
    let first = Array(bytes.prefix(4))
    let zeros = first.map { $0 == 0 }
    if first == [0xFF, 0xFE, 0, 0] || first == [0, 0, 0xFE, 0xFF] { return "UTF-32" }
    if first.starts(with: [0xFF, 0xFE]) || first.starts(with: [0xFE, 0xFF]) { return "UTF-16" }
    switch zeros {
    case [false, true, true, true]: return "UTF-32LE"
    case [true, true, true, false]: return "UTF-32BE"
    default:
      guard zeros.count > 1, zeros[0] != zeros[1] else { return nil }
      return zeros[0] ? "UTF-16BE" : "UTF-16LE"
    }
  }
}
