import Diagnostics

/// A vocabulary as its files spell it, before it is known to fit together.
struct SpelledVocabulary {
  /// The tokens with their ids, spelt in `ByteAlphabet`, or as they are for special ones.
  var tokens: [(spelling: String, id: Int)]
  var merges: [(left: String, right: String)]
  var specials: [Vocabulary.Special]
  /// The file that failures name.
  var source: String

  /// - Throws: `Failure(.badData)` naming the token or merge that does not fit.
  func vocabulary() throws -> Vocabulary {
    let specialContents = Dictionary(uniqueKeysWithValues: specials.map { ($0.id, $0.content) })
    let largest = (tokens.map(\.id) + specials.map { Int($0.id) }).max() ?? -1
    guard largest < Vocabulary.maximumSize else {
      throw Failure(.badData, "the id \(largest) is not below \(Vocabulary.maximumSize)", at: source)
    }
    var bytes = [[UInt8]?](repeating: nil, count: max(0, largest + 1))
    var ids: [[UInt8]: Int32] = [:]
    ids.reserveCapacity(tokens.count)
    for (spelling, id) in tokens {
      guard id >= 0, bytes[id] == nil else {
        throw Failure(.badData, "the id \(id) of the token '\(spelling)' is negative or used twice", at: source)
      }
      if let content = specialContents[Int32(id)] {
        guard content == spelling else {
          throw Failure(.badData, "the id \(id) is both '\(spelling)' and the special token '\(content)'", at: source)
        }
        bytes[id] = Array(spelling.utf8)
      } else {
        guard let token = ByteAlphabet.bytes(spelledBy: spelling), !token.isEmpty else {
          throw Failure(.badData, "the token '\(spelling)' (\(id)) is not spelt in the byte-level alphabet", at: source)
        }
        bytes[id] = token
        ids[token] = Int32(id)
      }
    }
    for special in specials { bytes[Int(special.id)] = Array(special.content.utf8) }
    return try Vocabulary(tokens: bytes, merges: resolved(ids), specials: specials, source: source)
  }

  private func resolved(_ ids: [[UInt8]: Int32]) throws -> [Vocabulary.Merge] {
    try merges.enumerated().map { rank, merge in
      guard let left = ByteAlphabet.bytes(spelledBy: merge.left),
        let right = ByteAlphabet.bytes(spelledBy: merge.right),
        let leftID = ids[left], let rightID = ids[right], let merged = ids[left + right]
      else {
        throw Failure(
          .badData, "merge \(rank + 1), '\(merge.left) \(merge.right)': the vocabulary lacks a part or the result",
          at: source)
      }
      return Vocabulary.Merge(left: leftID, right: rightID, merged: merged)
    }
  }
}
