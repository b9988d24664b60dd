import Diagnostics
import JSON

/// CLIP's tokens and merges. Tokens are spelled as in GPT-2's files, those that end a word with `</w>` behind.
struct ClipVocabulary: Sendable {
  /// By id.
  let tokens: [String]
  let merges: [(left: String, right: String)]
  let begin: Int32
  let end: Int32
  /// The ids of a byte within a word, and of a word's last byte.
  let inner: [Int32]
  let last: [Int32]
  private let table: [Pair: (rank: Int, merged: Int32)]

  private struct Pair: Hashable {
    let left: Int32
    let right: Int32
  }

  static let endOfWord = "</w>"
  static let beginName = "<|startoftext|>"
  static let endName = Vocabulary.endOfTextName
  static let largest = 1 << 21

  /// - Parameters:
  ///   - tokens: by id.
  ///   - begin: the mark before captions; `end`: the one after them.
  /// - Throws: `Failure(.badData)` where a byte, a mark or the parts of a merge are no tokens.
  init(
    tokens: [String], merges: [(left: String, right: String)], begin: String = beginName, end: String = endName,
    source: String
  ) throws {
    var ids: [ExactString: Int32] = Dictionary(minimumCapacity: tokens.count)
    for (id, token) in tokens.enumerated() {
      guard ids.updateValue(Int32(id), forKey: ExactString(token)) == nil else {
        throw Failure(.badData, "has the token '\(token)' twice", at: source)
      }
    }
    func id(_ token: String) throws -> Int32 {
      guard let id = ids[ExactString(token)] else {
        throw Failure(.badData, "has no token '\(token)', which CLIP's vocabulary needs", at: source)
      }
      return id
    }
    self.tokens = tokens
    self.merges = merges
    (self.begin, self.end) = (try id(begin), try id(end))
    let bytes = (0...255).map { ByteAlphabet.spelling(of: [UInt8($0)]) }
    inner = try bytes.map(id)
    last = try bytes.map { try id($0 + Self.endOfWord) }
    var table: [Pair: (rank: Int, merged: Int32)] = Dictionary(minimumCapacity: merges.count)
    for (rank, merge) in merges.enumerated() {
      let pair = Pair(left: try id(merge.left), right: try id(merge.right))
      table[pair] = (rank, try id(merge.left + merge.right))
    }
    self.table = table
  }

  func merge(_ left: Int32, _ right: Int32) -> (rank: Int, merged: Int32)? { table[Pair(left: left, right: right)] }
}
