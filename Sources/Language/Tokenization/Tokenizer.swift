import Diagnostics

/// Turns text into the ids of a BPE vocabulary and back, by the vocabulary's rules.
///
/// Ids equal those of `tiktoken`'s `encode_ordinary` and of Python `tokenizers`. Text that happens to spell a special
/// token such as `<|endoftext|>` is text like any other, unless it is asked to mean it.
public struct Tokenizer: Sendable {
  /// The ids that stand at the borders of texts, as files state them.
  struct Marks: Equatable, Sendable {
    var begin: Int32?
    var end: Int32?
    /// Whether every text is to begin with `begin`.
    var addsBegin = false
    /// Whether what spells a special token is text even where special tokens are meant.
    var splitsSpecials = false
  }

  public let vocabulary: Vocabulary
  /// The id of the token that closes every document.
  public let endOfText: Int32
  /// The id that the vocabulary's model takes for the beginning of a text; nil where there is none.
  public let beginOfText: Int32?
  /// Whether that model was trained to find it before every text.
  public let addsBeginOfText: Bool
  /// The id that the vocabulary's files name as end of sequence, `eos_token`; nil where they name none. A chat model's
  /// ends its answers, and need not be what closes documents.
  public let endOfSequence: Int32?
  /// What was left out, guessed or replaced when the files were read: whole sentences.
  public private(set) var warnings: [String] = []
  let merges: MergeTable
  /// The added tokens, where special ones are text and where they are meant.
  let search: TokenSearch
  let searchWithSpecials: TokenSearch

  /// - Throws: `Failure(.badData)` if the vocabulary has no token that ends texts.
  public init(_ vocabulary: Vocabulary, source: String) throws {
    try self.init(vocabulary, marks: Marks(), source: source)
  }

  /// What closes documents is `<|endoftext|>` where there is one, whatever a chat model's file says ends its answers.
  init(_ vocabulary: Vocabulary, marks: Marks, warnings: [String] = [], source: String) throws {
    let plain = vocabulary.specials.first { $0.content == Vocabulary.endOfTextName }?.id
    guard let endOfText = plain ?? marks.end ?? vocabulary.endOfText else {
      throw Failure(
        .badData,
        "the vocabulary has no special token to close documents with, such as \(Vocabulary.endOfTextName); "
          + "tokenizer_config.json can name one as eos_token", at: source)
    }
    try self.init(vocabulary, endOfText: endOfText, marks: marks, source: source)
    self.warnings = warnings
  }

  /// - Parameter endOfText: what closes documents, whatever the vocabulary calls it.
  init(_ vocabulary: Vocabulary, endOfText: Int32, marks: Marks = Marks(), source: String) throws {
    for id in [endOfText, marks.begin].compactMap({ $0 }) {
      guard id >= 0, id < vocabulary.size, vocabulary.tokens[Int(id)] != nil else {
        throw Failure(.badData, "the vocabulary has no token \(id)", at: source)
      }
    }
    self.vocabulary = vocabulary
    self.endOfText = endOfText
    beginOfText = marks.begin
    addsBeginOfText = marks.addsBegin && marks.begin != nil
    endOfSequence = marks.end
    merges = MergeTable(vocabulary)
    search = TokenSearch(vocabulary, specials: false)
    searchWithSpecials = marks.splitsSpecials ? search : TokenSearch(vocabulary, specials: true)
  }

  /// What a text without a context is predicted from: the beginning-of-text id where the files name one, otherwise their
  /// end-of-sequence id, and without either the id that closes documents.
  public var beginning: Int32 { beginOfText ?? endOfSequence ?? endOfText }

  /// One more than the largest id.
  public var vocabularySize: Int { vocabulary.size }

  /// The ids of a text.
  ///
  /// - Parameter specials: whether what spells a special token means it.
  public func encode(_ text: String, specials: Bool = false) -> [Int32] { encode(Array(text.utf8), specials: specials) }

  /// The ids of a text whose bytes, where they are not UTF-8, count as Python's `decode('utf-8', 'replace')`.
  public func encode(_ bytes: [UInt8], specials: Bool = false) -> [Int32] {
    var text = ByteBuffer(capacity: bytes.count)
    var repair = UTF8Repair()
    bytes.withUnsafeBufferPointer { repair.append($0, to: &text) }
    repair.finish(to: &text)
    let encoder = TextEncoder(self, specials: specials, forBytes: text.count)
    let ids = UnsafeMutablePointer<UInt32>.allocate(capacity: encoder.room(forBytes: text.count))
    defer { ids.deallocate() }
    let count = encoder.encode(text.base, count: text.count, to: ids)
    return (0..<count).map { Int32(bitPattern: ids[$0]) }
  }

  /// The bytes that ids stand for, which need not be UTF-8 where the ids cut a character; an id that stands for
  /// nothing adds nothing.
  public func decode(_ ids: some Sequence<Int32>) -> [UInt8] {
    var bytes: [UInt8] = []
    for id in ids { bytes += vocabulary.bytes(of: id) }
    return vocabulary.withoutPrefix(bytes)
  }

  /// The text that ids stand for, with U+FFFD where the bytes are not UTF-8.
  public func text(of ids: some Sequence<Int32>) -> String { String(decoding: decode(ids), as: UTF8.self) }

  /// Whether every text has the same ids here as there.
  func givesSameIDs(as other: Tokenizer) -> Bool {
    vocabulary.merges == other.vocabulary.merges && vocabulary.ranks == other.vocabulary.ranks
      && vocabulary.rules == other.vocabulary.rules && vocabulary.idOfByte == other.vocabulary.idOfByte
      && vocabulary.tokens == other.vocabulary.tokens
      && TokenSearch.signature(vocabulary) == TokenSearch.signature(other.vocabulary)
  }
}
