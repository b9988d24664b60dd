import Diagnostics

/// A BPE vocabulary: the bytes of each id, the id of each single byte, the merges in order, and the rules by which text
/// is split and normalised.
public struct Vocabulary: Sendable, Equatable {
  /// One rule: the token `left` followed by the token `right` becomes the token `merged`.
  public struct Merge: Sendable, Equatable {
    public let left: Int32
    public let right: Int32
    public let merged: Int32

    public init(left: Int32, right: Int32, merged: Int32) {
      self.left = left
      self.right = right
      self.merged = merged
    }
  }

  /// A token that is searched for in text before the text is split into pieces.
  public struct Added: Sendable, Equatable {
    public let id: Int32
    public let content: String
    public let matching: Matching

    public init(id: Int32, content: String, matching: Matching = []) {
      self.id = id
      self.content = content
      self.matching = matching
    }
  }

  /// Where an added token is found, in the terms of Hugging Face's `tokenizers`.
  public struct Matching: OptionSet, Sendable, Hashable {
    public let rawValue: UInt8

    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// The normalised content is searched for in normalised text; without this flag, the content in the original text.
    public static let normalized = Matching(rawValue: 1)
    /// The token includes the white space on its left.
    public static let leftStrip = Matching(rawValue: 2)
    /// The token includes the white space on its right.
    public static let rightStrip = Matching(rawValue: 4)
    /// The token is found only between characters that are not word characters.
    public static let singleWord = Matching(rawValue: 8)
  }

  /// The name of the token that closes every document in vocabularies that are trained here.
  public static let endOfTextName = "<|endoftext|>"
  /// The names of that token in published vocabularies, the likeliest first.
  static let endOfTextNames = [endOfTextName, "<|end_of_text|>", "</s>", "<eos>", "<|im_end|>"]
  /// Larger vocabularies are refused: a merge is packed into 64 bits.
  public static let maximumSize = 1 << 21
  static let maximumMerges = 1 << 22 - 1

  /// The bytes of each id; nil for unused ids. Special and added tokens outside the model have the UTF-8 of their
  /// content.
  public let tokens: [[UInt8]?]
  public let merges: [Merge]
  /// The rank of each merge, ascending; of pairs with equal ranks the leftmost merges first. Empty if no two merges
  /// share a rank.
  public let ranks: [Int32]
  /// Tokens such as `<|endoftext|>`, which are recognised in text only on request.
  public let specials: [Added]
  /// Tokens that are recognised wherever text spells them, such as NeoX's runs of blanks.
  public let added: [Added]
  public let rules: TokenizationRules
  /// Special and added tokens that the model has as well, so that merges may produce them.
  let inModel: Set<Int32>
  /// The id of each single byte; -1 for bytes that the vocabulary lacks. Encoding leaves these out.
  let idOfByte: [Int32]

  /// One more than the largest id: the number of logits a model over this vocabulary puts out.
  public var size: Int { tokens.count }

  /// The id of the token that closes every document, if the vocabulary has one.
  public var endOfText: Int32? {
    Self.endOfTextNames.lazy.compactMap { name in specials.first { $0.content == name }?.id }.first
  }

  /// The bytes of an id; empty for an unused one.
  public func bytes(of id: Int32) -> [UInt8] { Self.token(id, tokens) ?? [] }

  /// The bytes at the beginning of a decoded text, without the blank that encoding put before it.
  public func withoutPrefix(_ bytes: [UInt8]) -> [UInt8] {
    rules.decodesWithoutPrefix && bytes.first == UInt8(ascii: " ") ? Array(bytes.dropFirst()) : bytes
  }

  /// The ids that merges never produce.
  var idsOutsideModel: Set<Int32> { Set((specials + added).map(\.id)).subtracting(inModel) }

  /// - Parameters:
  ///   - ranks: one for each merge, or empty.
  ///   - inModel: the special and added tokens that the model has as well.
  ///   - bytes: the id of each single byte; nil takes the tokens of one byte.
  ///   - source: the file a failure names.
  /// - Throws: `Failure(.badData)` where the parts do not fit together.
  public init(
    tokens: [[UInt8]?], merges: [Merge], ranks: [Int32] = [], specials: [Added], added: [Added] = [],
    inModel: Set<Int32> = [], rules: TokenizationRules = TokenizationRules(), bytes: [UInt8: Int32]? = nil,
    source: String
  ) throws {
    guard tokens.count <= Self.maximumSize, merges.count <= Self.maximumMerges else {
      throw Failure(
        .badData, "\(tokens.count) tokens and \(merges.count) merges; at most \(Self.maximumSize) tokens are supported",
        at: source)
    }
    precondition(ranks.isEmpty || ranks.count == merges.count && zip(ranks, ranks.dropFirst()).allSatisfy { $0 <= $1 })
    let isOutside = Set((specials + added).map(\.id)).subtracting(inModel)
    var idOfByte = [Int32?](repeating: nil, count: 256)
    if let bytes {
      for (byte, id) in bytes { idOfByte[Int(byte)] = id }
    } else {
      for (id, token) in tokens.enumerated() {
        guard let token, token.count == 1, !isOutside.contains(Int32(id)) else { continue }
        idOfByte[Int(token[0])] = Int32(id)
      }
    }
    let missing = idOfByte.indices.first { idOfByte[$0] == nil && Self.isNeeded(UInt8($0), by: rules.splitting) }
    if let missing {
      throw Failure(.badData, "no token stands for the single byte \(missing): not a byte-level vocabulary", at: source)
    }
    // The token of the byte 0x20 does not count: the blank of SentencePiece is `▁`, which has three bytes.
    let ofBytes = Set(bytes?.values.map { Int($0) } ?? [])
    let blank = tokens.indices.first { tokens[$0] == [UInt8(ascii: " ")] && !ofBytes.contains($0) }
    guard rules.splitting != .sentencePiece || blank != nil else {
      throw Failure(.badData, "no token stands for SentencePiece's blank, which is not supported", at: source)
    }
    for (rank, merge) in merges.enumerated() {
      guard let left = Self.token(merge.left, tokens), let right = Self.token(merge.right, tokens),
        let merged = Self.token(merge.merged, tokens), merged.starts(with: left),
        merged.dropFirst(left.count).elementsEqual(right)
      else { throw Failure(.badData, "merge \(rank + 1) does not join two tokens of the vocabulary", at: source) }
      guard rules.splitting != .sentencePiece || !Self.spansWords(merged) else {
        throw Failure(.badData, "merge \(rank + 1) joins words across a blank, which is not supported", at: source)
      }
    }
    self.tokens = tokens
    self.merges = merges
    self.ranks = ranks
    self.specials = specials
    self.added = added
    self.inModel = inModel
    self.rules = rules
    self.idOfByte = idOfByte.map { $0 ?? -1 }
  }

  /// Some byte-level vocabularies lack bytes that their training text lacked: control characters, and bytes that UTF-8
  /// never uses. SentencePiece's vocabularies fall back to bytes, so they may lack only bytes that UTF-8 never uses.
  private static func isNeeded(_ byte: UInt8, by splitting: TokenizationRules.Splitting) -> Bool {
    guard splitting != .sentencePiece else { return byte < 0xF5 && byte != 0xC0 && byte != 0xC1 }
    return (0x20..<0x7F).contains(byte) || (0x80..<0xC0).contains(byte)
  }

  /// Whether a blank follows another byte.
  private static func spansWords(_ token: [UInt8]) -> Bool {
    let blank = UInt8(ascii: " ")
    return zip(token, token.dropFirst()).contains { $0 != blank && $1 == blank }
  }

  private static func token(_ id: Int32, _ tokens: [[UInt8]?]) -> [UInt8]? {
    id >= 0 && id < tokens.count ? tokens[Int(id)] : nil
  }
}
