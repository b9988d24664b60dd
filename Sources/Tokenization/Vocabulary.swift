import Diagnostics

/// A byte-level BPE vocabulary: what every id stands for, which byte each single-byte id is, and the merges in order.
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

  /// The name of the token that closes every document.
  public static let endOfTextName = "<|endoftext|>"
  /// Larger vocabularies are refused: a merge is packed into 64 bits.
  public static let maximumSize = 1 << 21
  static let maximumMerges = 1 << 22 - 1

  /// The bytes of each id; nil for ids that nothing uses. Specials hold the UTF-8 of their content.
  public let tokens: [[UInt8]?]
  public let merges: [Merge]
  public let specials: [Special]
  /// The id of each single byte.
  let idOfByte: [Int32]

  /// One more than the largest id: the number of logits a model over this vocabulary puts out.
  public var size: Int { tokens.count }

  /// The id of the token that closes every document, if the vocabulary has one.
  public var endOfText: Int32? { specials.first { $0.content == Self.endOfTextName }?.id }

  /// - Parameter source: the file a failure names.
  /// - Throws: `Failure(.badData)` where the parts do not fit together.
  public init(tokens: [[UInt8]?], merges: [Merge], specials: [Special], source: String) throws {
    guard tokens.count <= Self.maximumSize, merges.count <= Self.maximumMerges else {
      throw Failure(
        .badData, "\(tokens.count) tokens and \(merges.count) merges; at most \(Self.maximumSize) tokens are supported",
        at: source)
    }
    let isSpecial = Set(specials.map(\.id))
    var idOfByte = [Int32?](repeating: nil, count: 256)
    for (id, token) in tokens.enumerated() {
      guard let token, token.count == 1, !isSpecial.contains(Int32(id)) else { continue }
      idOfByte[Int(token[0])] = Int32(id)
    }
    if let missing = idOfByte.firstIndex(of: nil) {
      throw Failure(.badData, "no token stands for the single byte \(missing): not a byte-level vocabulary", at: source)
    }
    for (rank, merge) in merges.enumerated() {
      guard let left = Self.token(merge.left, tokens), let right = Self.token(merge.right, tokens),
        let merged = Self.token(merge.merged, tokens), merged == left + right
      else { throw Failure(.badData, "merge \(rank + 1) does not join two tokens of the vocabulary", at: source) }
    }
    self.tokens = tokens
    self.merges = merges
    self.specials = specials
    self.idOfByte = idOfByte.map { $0! }
  }

  private static func token(_ id: Int32, _ tokens: [[UInt8]?]) -> [UInt8]? {
    id >= 0 && id < tokens.count ? tokens[Int(id)] : nil
  }
}
