import Diagnostics
import JSON

/// A vocabulary in the spelling of its files, before its parts are checked.
struct SpelledVocabulary {
  /// How spellings encode bytes.
  enum Alphabet {
    /// One character a byte (`ByteAlphabet`).
    case bytes
    /// Text with `▁` for blanks, and `<0x0A>` for single bytes.
    case sentencePiece
  }

  /// The tokens with their ids, spelt in the alphabet; special and added tokens are plain text.
  var tokens: [(spelling: String, id: Int)]
  var merges: [(left: String, right: String)]
  /// As in `Vocabulary`.
  var ranks: [Int32] = []
  var specials: [Vocabulary.Added] = []
  var added: [Vocabulary.Added] = []
  var rules = TokenizationRules()
  /// The file for failures to name.
  var source: String

  private var alphabet: Alphabet { rules.splitting == .sentencePiece ? .sentencePiece : .bytes }

  /// - Throws: `Failure(.badData)` with the token or merge at fault.
  func vocabulary() throws -> Vocabulary {
    let contents = try outsideContents()
    let largest = (tokens.map(\.id) + contents.keys).max() ?? -1
    guard largest < Vocabulary.maximumSize else {
      throw Failure(.badData, "the id \(largest) is not below \(Vocabulary.maximumSize)", at: source)
    }
    var bytes = [[UInt8]?](repeating: nil, count: max(0, largest + 1))
    var ids: [ExactString: Int32] = [:]
    ids.reserveCapacity(tokens.count)
    var singleBytes: [UInt8: Int32] = [:]
    var inModel: Set<Int32> = []
    for (spelling, id) in tokens {
      guard id >= 0, bytes[id] == nil else {
        throw Failure(.badData, "the id \(id) of the token '\(spelling)' is negative or used twice", at: source)
      }
      if let content = contents[id] {
        let isSame = content.utf8.elementsEqual(spelling.utf8)
        guard isSame || ByteAlphabet.bytes(spelledBy: spelling) == Array(content.utf8) else {
          throw Failure(.badData, "the id \(id) is both '\(spelling)' and the added token '\(content)'", at: source)
        }
        guard isSame, bytesOfText(spelling) != nil else {
          bytes[id] = Array(content.utf8)
          continue
        }
        inModel.insert(Int32(id))
      }
      if alphabet == .sentencePiece, let byte = Self.byte(spelledBy: spelling) {
        bytes[id] = [byte]
        singleBytes[byte] = Int32(id)
        continue
      }
      let token = try token(spelling, id)
      bytes[id] = token
      ids[ExactString(spelling)] = Int32(id)
    }
    for (id, content) in contents where !inModel.contains(Int32(id)) { bytes[id] = Array(content.utf8) }
    return try Vocabulary(
      tokens: bytes, merges: resolved(ids), ranks: ranks, specials: specials, added: added, inModel: inModel,
      rules: rules, bytes: alphabet == .sentencePiece ? singleBytes : nil, source: source)
  }

  /// Like `vocabulary()`, with the special and added tokens of a list.
  func vocabulary(with list: AddedTokenList) throws -> Vocabulary {
    var all = self
    (all.specials, all.added) = (list.tokens(special: true), list.tokens(special: false))
    // The two ways to add blanks differ only for normalised tokens.
    if !(all.specials + all.added).contains(where: { $0.matching.contains(.normalized) }) {
      all.rules.normalisesBlanks = false
    }
    if let (a, b) = TokenSearch.ambiguous(all.specials + all.added, all.rules) {
      throw Failure(
        .badData, "the added tokens '\(a)' and '\(b)' are the same once normalized, and tokenizers takes either",
        at: source)
    }
    return try all.vocabulary()
  }

  /// The contents of special and added tokens by id.
  private func outsideContents() throws -> [Int: String] {
    var contents: [Int: String] = [:]
    for token in specials + added {
      guard token.id >= 0, !token.content.isEmpty,
        contents.updateValue(token.content, forKey: Int(token.id)) == nil
      else {
        throw Failure(
          .badData, "the added token '\(token.content)' is empty or its id \(token.id) is used twice", at: source)
      }
    }
    return contents
  }

  private func token(_ spelling: String, _ id: Int) throws -> [UInt8] {
    if let bytes = bytesOfText(spelling) { return bytes }
    switch alphabet {
    case .bytes:
      throw Failure(.badData, "the token '\(spelling)' (\(id)) is not spelt in the byte-level alphabet", at: source)
    case .sentencePiece:
      throw Failure(.badData, "the token '\(spelling)' (\(id)) is empty or has a blank in it", at: source)
    }
  }

  /// The bytes of a spelling; nil if it is not in the alphabet.
  private func bytesOfText(_ spelling: String) -> [UInt8]? {
    guard !spelling.isEmpty else { return nil }
    switch alphabet {
    case .bytes: return ByteAlphabet.bytes(spelledBy: spelling)
    case .sentencePiece:
      return spelling.utf8.contains(UInt8(ascii: " ")) ? nil : SentencePieceAlphabet.bytes(spelledBy: spelling)
    }
  }

  /// The byte of a spelling such as `<0x0A>`, with upper-case digits; nil for any other.
  private static func byte(spelledBy spelling: String) -> UInt8? {
    let bytes = Array(spelling.utf8)
    guard bytes.count == 6, bytes.starts(with: Array("<0x".utf8)), bytes[5] == UInt8(ascii: ">") else { return nil }
    let digits = bytes[3...4].map { Self.hexadecimal.firstIndex(of: $0) }
    guard let high = digits[0], let low = digits[1] else { return nil }
    return UInt8(high << 4 | low)
  }

  private static let hexadecimal = Array("0123456789ABCDEF".utf8)

  private func resolved(_ ids: [ExactString: Int32]) throws -> [Vocabulary.Merge] {
    try merges.enumerated().map { rank, merge in
      guard let leftID = ids[ExactString(merge.left)], let rightID = ids[ExactString(merge.right)],
        let merged = ids[ExactString(merge.left + merge.right)]
      else {
        throw Failure(
          .badData, "merge \(rank + 1), '\(merge.left) \(merge.right)': the vocabulary lacks a part or the result",
          at: source)
      }
      return Vocabulary.Merge(left: leftID, right: rightID, merged: merged)
    }
  }
}

/// The spelling of tokens in SentencePiece's vocabularies.
enum SentencePieceAlphabet {
  /// U+2581 in UTF-8.
  static let blank: [UInt8] = [0xE2, 0x96, 0x81]
  static let blankText = "\u{2581}"

  static func bytes(spelledBy text: String) -> [UInt8] { blanked(Array(text.utf8)) }

  /// Text with a blank for each `▁`.
  static func blanked(_ text: [UInt8]) -> [UInt8] { text.replacing(blank, with: CollectionOfOne(0x20)) }

  /// The spelling of a token that is not a byte token.
  static func spelling(of token: [UInt8]) -> String {
    String(decoding: token.replacing(CollectionOfOne(0x20), with: blank), as: UTF8.self)
  }

  static func spelling(ofByte byte: UInt8) -> String {
    let digits = String(byte, radix: 16, uppercase: true)
    return "<0x\(digits.count == 1 ? "0" : "")\(digits)>"
  }
}
