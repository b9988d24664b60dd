import Diagnostics
import Files
import JSON
import Tokenization

/// One prompt of a command line or a file.
public struct PromptText: Equatable, Sendable {
  /// The instruction as the record states it.
  public let instruction: String
  /// The input that Alpaca's records give beside an instruction; nil without one.
  public let input: String?

  public init(instruction: String, input: String? = nil) { (self.instruction, self.input) = (instruction, input) }

  /// The text to continue: the instruction and, after a blank line, its input.
  public var text: String { input.map { "\(instruction)\n\n\($0)" } ?? instruction }
}

/// Reads prompts: JSON lines, or one JSON array, of strings or objects.
public struct PromptFile {
  private let path: String

  public init(path: String) { self.path = path }

  /// Members that hold the prompt; the first that is present counts.
  private static let prompts = ["prompt", "instruction"]
  /// Members that other tools show to the model. They are not read, and refused unless they are empty.
  private static let unread = [
    "messages", "conversations", "conversation", "system", "system_prompt", "context", "history", "documents", "suffix",
    "images",
  ]

  /// - Throws: `Failure` with `.badData` and the line for a record that is not a prompt, and for a file without
  ///   prompts.
  public func read() throws -> [PromptText] {
    var records = try JSONRecords(FileReader(path))
    var prompts: [PromptText] = []
    while let record = try records.next() { prompts.append(try Self.prompt(record.json, at: record.place)) }
    guard !prompts.isEmpty else { throw Failure(.badData, "holds no prompts", at: path) }
    return prompts
  }

  /// A string, or an object with a prompt. Its other members may describe the prompt, but not add to it.
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

/// How a prompt's text becomes the tokens that a model continues.
public enum PromptForm {
  /// The beginning of a text. With `specials`, words that spell a special token stand for it.
  case text(specials: Bool)
  /// A message to a chat model.
  case chat(ChatFormat, system: String?)

  /// A prompt as the model reads it.
  public struct Encoded: Sendable {
    public let prompt: PromptText
    public let ids: [Int32]
  }

  /// Encodes prompts, all before any is continued.
  ///
  /// - Parameters:
  ///   - context: the most tokens that the model reads; a prompt leaves room for one more.
  ///   - source: the model, for messages.
  /// - Throws: `Failure` with `.badData` for a prompt that is too long, and for a vocabulary without the chat format's tokens.
  public func encode(
    _ prompts: [PromptText], _ tokenizer: Tokenizer, context: Int, source: String
  ) throws -> [Encoded] {
    try prompts.enumerated().map { number, prompt in
      let ids = try ids(of: prompt.text, tokenizer, source)
      guard ids.count < context else {
        throw Failure(
          .badData, "has \(ids.count) tokens, but the model reads \(context)", at: "prompt \(number + 1)")
      }
      return Encoded(prompt: prompt, ids: ids)
    }
  }

  /// The tokens that end an answer in this form, besides those of the model's files.
  public func ends(_ tokenizer: Tokenizer, source: String) throws -> Set<Int32> {
    switch self {
    case .text: []
    case .chat(let format, _): try format.ends(tokenizer, source: source)
    }
  }

  private func ids(of text: String, _ tokenizer: Tokenizer, _ source: String) throws -> [Int32] {
    switch self {
    case .chat(let format, let system):
      return try format.prompt(system: system, user: text, tokenizer, source: source)
    case .text(let specials):
      let ids = tokenizer.encode(text, specials: specials)
      let begin = tokenizer.addsBeginOfText ? tokenizer.beginOfText : nil
      if let begin, ids.first != begin { return [begin] + ids }
      // A prompt without words is the beginning of a text.
      return ids.isEmpty ? [tokenizer.beginning] : ids
    }
  }
}
