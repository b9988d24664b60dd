import Diagnostics
import Tokenization

/// How a model that was trained on conversations wants them written down.
///
/// Models carry a template in a language of their own (Jinja). A template is never run here: those that are known are
/// recognised exactly, and others refused, because a prompt that is nearly right gives answers that are nearly wrong.
public enum ChatFormat: CaseIterable, Sendable {
  /// `<|im_start|>role`, the words, `<|im_end|>`; no system message unless one is given.
  case chatML
  /// ChatML with SmolLM2's own system message where none is given.
  case smolLM2

  private static let chatMLBody =
    "{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}"
    + "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"

  /// The template as model files have it, in which a line feed within quotes may be written as `\n`.
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
  /// - Throws: `.badData` where it is none of the known ones.
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

  /// The ids of a conversation's beginning, up to where the model's answer begins. What the messages say is text, even
  /// where it spells a special token.
  ///
  /// - Throws: `.badData` where the vocabulary lacks the format's special tokens.
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
    // The words beside it are encoded by themselves.
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
