import Diagnostics

/// Turns text into the ids of a BPE vocabulary and back, by the vocabulary's rules.
///
/// Ids equal those of `tiktoken`'s `encode_ordinary` and of Python `tokenizers`. Text that happens to spell a special
/// token such as `<|endoftext|>` is encoded like any other text, unless `specials` is set.
public struct Tokenizer: Sendable {
  /// The ids at the beginning and end of texts, as files state them.
  struct Marks: Equatable, Sendable {
    var begin: Int32?
    var end: Int32?
    /// Whether every text is to begin with `begin`.
    var addsBegin = false
    /// Whether text that spells a special token stays text even with `specials`.
    var splitsSpecials = false
  }

  public let vocabulary: Vocabulary
  /// The id of the token that closes every document.
  public let endOfText: Int32
  /// The model's beginning-of-text id; nil if it has none.
  public let beginOfText: Int32?
  /// Whether the model was trained with `beginOfText` before every text.
  public let addsBeginOfText: Bool
  /// The `eos_token` of the vocabulary's files; nil if they name none. In a chat model it ends answers, and may differ
  /// from `endOfText`.
  public let endOfSequence: Int32?
  /// Whole sentences about parts of the files that were skipped, guessed or replaced.
  public private(set) var warnings: [String] = []
  let merges: MergeTable
  /// Finds added tokens; special ones stay text.
  let search: TokenSearch
  /// Finds added and special tokens.
  let searchWithSpecials: TokenSearch

  /// - Throws: `Failure(.badData)` if the vocabulary has no token that ends texts.
  public init(_ vocabulary: Vocabulary, source: String) throws {
    try self.init(vocabulary, marks: Marks(), source: source)
  }

  /// Documents are closed by `<|endoftext|>` if the vocabulary has it, even if a chat model's file names another end.
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

  /// - Parameter endOfText: the id that closes documents, whatever its name.
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

  /// The id before a text without a context: `beginOfText`, or else `endOfSequence`, or else `endOfText`.
  public var beginning: Int32 { beginOfText ?? endOfSequence ?? endOfText }

  /// One more than the largest id.
  public var vocabularySize: Int { vocabulary.size }

  /// The ids of a text.
  ///
  /// - Parameter specials: whether text that spells a special token becomes that token.
  public func encode(_ text: String, specials: Bool = false) -> [Int32] { encode(Array(text.utf8), specials: specials) }

  /// The ids of the text that Python's `bytes.decode('utf-8', 'replace')` makes of these bytes.
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

  /// The bytes of a sequence of ids. They may begin or end inside a character. Unused ids add no bytes.
  public func decode(_ ids: some Sequence<Int32>) -> [UInt8] {
    var bytes: [UInt8] = []
    for id in ids { bytes += vocabulary.bytes(of: id) }
    return vocabulary.withoutPrefix(bytes)
  }

  /// The text of a sequence of ids, with U+FFFD for bytes that are not UTF-8.
  public func text(of ids: some Sequence<Int32>) -> String { String(decoding: decode(ids), as: UTF8.self) }

  /// Whether both tokenizers give equal ids to every text.
  func givesSameIDs(as other: Tokenizer) -> Bool {
    vocabulary.merges == other.vocabulary.merges && vocabulary.ranks == other.vocabulary.ranks
      && vocabulary.rules == other.vocabulary.rules && vocabulary.idOfByte == other.vocabulary.idOfByte
      && vocabulary.tokens == other.vocabulary.tokens
      && TokenSearch.signature(vocabulary) == TokenSearch.signature(other.vocabulary)
  }
}
