import Tokenization

/// The operations of a tokenizer that scoring needs.
public protocol ScoringTokenizer {
  /// The ids of a text. Words that spell a special token become that token, as in the harness; no other is added.
  func ids(of text: String) -> [Int32]
  /// The id before a text without a context, as `HFLM.prefix_token_id` of the harness: the beginning-of-text id if the files
  /// name one, otherwise their end-of-sequence id, otherwise the id that closes documents.
  var beginning: Int32 { get }
  /// Whether the tokenizer's file says that every text begins with that id.
  var beginsTexts: Bool { get }
}

extension Tokenizer: ScoringTokenizer {
  public func ids(of text: String) -> [Int32] { encode(text, specials: true) }
  public var beginsTexts: Bool { addsBeginOfText }
}
