import Diagnostics
import Tokenization

/// The written form of conversations on which a model was trained.
///
/// Model files hold it as a template in the language Jinja. Templates are not run here: the known ones are compared exactly
/// and others refused, because a slightly different prompt gives other answers.
public enum ChatFormat: CaseIterable, Sendable {
  /// `<|im_start|>role`, the message, `<|im_end|>`; without a default system message.
  case chatML
  /// ChatML with SmolLM2's default system message.
  case smolLM2

  private static let chatMLBody =
    "{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}"
    + "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"

  /// The template in model files; a line feed within quotes may be written as `\n` there.
  private var template: String {
    switch self {
    case .chatML: "{% for message in messages %}" + Self.chatMLBody
    case .smolLM2:
      "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}"
        + "{{ '<|im_start|>system\n\(ownSystemMessage!)<|im_end|>\n' }}{% endif %}" + Self.chatMLBody
    }
  }

  private var ownSystemMessage: String? {
    switch self {
    case .chatML: nil
    case .smolLM2: "You are a helpful AI assistant named SmolLM, trained by Hugging Face"
    }
  }

  /// The format of a model's template.
  ///
  /// - Throws: `Failure` with `.badData` for an unknown template.
  public init(template: String, source: String) throws {
    func plain(_ text: String) -> String { text.replacing("\\n", with: "\n") }
    guard let format = Self.allCases.first(where: { plain($0.template) == plain(template) }) else {
      throw Failure(
        .badData,
        "its chat template is none of those known here (ChatML, SmolLM2's); write the conversation into the prompt "
          + "yourself, with --special-tokens and without --chat", at: source)
    }
    self = format
  }

  /// The ids of a conversation up to the start of the model's answer. Messages are text, even where they spell a special token.
  ///
  /// - Throws: `Failure` with `.badData` where the vocabulary lacks the format's special tokens.
  public func prompt(system: String?, user: String, _ tokenizer: Tokenizer, source: String) throws -> [Int32] {
    let start = try special("<|im_start|>", tokenizer, source)
    let end = try special("<|im_end|>", tokenizer, source)
    var messages = [("user", user)]
    if let system = system ?? ownSystemMessage { messages.insert(("system", system), at: 0) }
    let written = messages.flatMap { role, words in
      [start] + tokenizer.encode("\(role)\n\(words)") + [end] + tokenizer.encode("\n")
    }
    return written + [start] + tokenizer.encode("assistant\n")
  }

  /// The tokens that end an answer.
  public func ends(_ tokenizer: Tokenizer, source: String) throws -> Set<Int32> {
    [try special("<|im_end|>", tokenizer, source), tokenizer.endOfText]
  }

  private func special(_ content: String, _ tokenizer: Tokenizer, _ source: String) throws -> Int32 {
    guard let token = tokenizer.vocabulary.specials.first(where: { $0.content == content }) else {
      throw Failure(
        .badData, "its vocabulary has no special token \(content), which its chat template uses", at: source)
    }
    // Text beside the token is encoded separately, so that the token must not change it.
    guard token.matching.isDisjoint(with: [.leftStrip, .rightStrip, .singleWord]) else {
      throw Failure(
        .badData,
        "its special token \(content) looks at the text beside it (lstrip, rstrip or single_word), which is not "
          + "supported; write the conversation into the prompt yourself, with --special-tokens and without --chat",
        at: source)
    }
    return token.id
  }
}
