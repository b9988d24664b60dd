import Tokenization

/// What scoring asks of a tokenizer.
public protocol ScoringTokenizer {
  /// The ids of a text, with no special token that the text does not spell: what spells one means it, as in the harness.
  func ids(of text: String) -> [Int32]
  /// What a text without a context is predicted from, as `HFLM.prefix_token_id` of the harness: the beginning-of-text id
  /// where the files name one, otherwise their end-of-sequence id, and without either the id that closes documents.
  var beginning: Int32 { get }
  /// Whether the tokenizer's own file has it begin every text with that id.
  var beginsTexts: Bool { get }
}

extension Tokenizer: ScoringTokenizer {
  public func ids(of text: String) -> [Int32] { encode(text, specials: true) }
  public var beginsTexts: Bool { addsBeginOfText }
}
