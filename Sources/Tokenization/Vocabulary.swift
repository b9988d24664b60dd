import Diagnostics

/// A BPE vocabulary: what every id stands for, which byte each single-byte id is, the merges in order, and by which rules
/// text comes to them.
public struct Vocabulary: Sendable, Equatable {
  /// A token outside the merges, such as `<|endoftext|>`: text never encodes to it.
  public struct Special: Sendable, Equatable {
    public let id: Int32
    public let content: String

    public init(id: Int32, content: String) {
      self.id = id
      self.content = content
    }
  }

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

  /// A token outside the merges that is recognised wherever text spells it, such as NeoX's runs of blanks.
  public struct Added: Sendable, Equatable {
    public let id: Int32
    public let content: String
    /// Whether it is looked for in the composed text rather than in the text as it came.
    public let isNormalized: Bool

    public init(id: Int32, content: String, isNormalized: Bool) {
      self.id = id
      self.content = content
      self.isNormalized = isNormalized
    }
  }

  /// The name of the token that closes every document in vocabularies that are trained here.
  public static let endOfTextName = "<|endoftext|>"
  /// What published vocabularies call that token, the likeliest first.
  static let endOfTextNames = [endOfTextName, "<|end_of_text|>", "</s>", "<eos>", "<|im_end|>"]
  /// Larger vocabularies are refused: a merge is packed into 64 bits.
  public static let maximumSize = 1 << 21
  static let maximumMerges = 1 << 22 - 1

  /// The bytes of each id; nil for ids that nothing uses. Special and added tokens hold the UTF-8 of their content.
  public let tokens: [[UInt8]?]
  public let merges: [Merge]
  public let specials: [Special]
  public let added: [Added]
  public let rules: TokenizationRules
  /// The id of each single byte; -1 for those that the vocabulary lacks, which encoding leaves out.
  let idOfByte: [Int32]

  /// One more than the largest id: the number of logits a model over this vocabulary puts out.
  public var size: Int { tokens.count }

  /// The id of the token that closes every document, if the vocabulary has one.
  public var endOfText: Int32? {
    Self.endOfTextNames.lazy.compactMap { name in specials.first { $0.content == name }?.id }.first
  }

  /// The bytes that an id stands for; none for one that nothing uses.
  public func bytes(of id: Int32) -> [UInt8] { Self.token(id, tokens) ?? [] }

  /// What the ids at the beginning of a text stand for, without the blank that encoding put in.
  public func withoutPrefix(_ bytes: [UInt8]) -> [UInt8] {
    rules.prefix != .none && bytes.first == UInt8(ascii: " ") ? Array(bytes.dropFirst()) : bytes
  }

  /// The ids that merges never lead to.
  var idsOutsideMerges: Set<Int32> { Set(specials.map(\.id)).union(added.map(\.id)) }

  /// - Parameters:
  ///   - bytes: the id of each single byte, where tokens of one byte do not tell.
  ///   - source: the file a failure names.
  /// - Throws: `Failure(.badData)` where the parts do not fit together.
  public init(
    tokens: [[UInt8]?], merges: [Merge], specials: [Special], added: [Added] = [],
    rules: TokenizationRules = TokenizationRules(), bytes: [UInt8: Int32]? = nil, source: String
  ) throws {
    guard tokens.count <= Self.maximumSize, merges.count <= Self.maximumMerges else {
      throw Failure(
        .badData, "\(tokens.count) tokens and \(merges.count) merges; at most \(Self.maximumSize) tokens are supported",
        at: source)
    }
    let isOutside = Set(specials.map(\.id)).union(added.map(\.id))
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
    self.specials = specials
    self.added = added
    self.rules = rules
    self.idOfByte = idOfByte.map { $0 ?? -1 }
  }

  /// Some byte-level vocabularies leave out bytes that their training text did not have: of control characters, or such
  /// as no text has. Where characters that are no token fall back to bytes, only those may be missing that UTF-8 never
  /// uses.
  private static func isNeeded(_ byte: UInt8, by splitting: TokenizationRules.Splitting) -> Bool {
    guard splitting != .sentencePiece else { return byte < 0xF5 && byte != 0xC0 && byte != 0xC1 }
    return (0x20..<0x7F).contains(byte) || (0x80..<0xC0).contains(byte)
  }

  /// Whether a blank follows something else.
  private static func spansWords(_ token: [UInt8]) -> Bool {
    let blank = UInt8(ascii: " ")
    return zip(token, token.dropFirst()).contains { $0 != blank && $1 == blank }
  }

  private static func token(_ id: Int32, _ tokens: [[UInt8]?]) -> [UInt8]? {
    id >= 0 && id < tokens.count ? tokens[Int(id)] : nil
  }
}
