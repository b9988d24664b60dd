import Diagnostics
import Files
import JSON

/// Turns text into the ids of a WordPiece vocabulary, as BERT and its kin have it: each word is the longest entry that it
/// begins with, then the longest that the rest begins with, and so on; a word that does not come out is unknown.
///
/// Ids equal those of Python's `tokenizers`, but for text that spells a special token such as `[SEP]`: it stays text.
public struct WordPieceTokenizer: Sendable {
  /// One more than the largest id.
  public let vocabularySize: Int
  /// The most ids that the file has a text cut to, with the marks around it; nil where it states none.
  public let statedLimit: Int?
  private let normalizer: BertNormalizer
  /// The ids of entries that begin a word, by their UTF-8, and of those that continue one.
  private let beginnings: [[UInt8]: Int32]
  private let continuations: [[UInt8]: Int32]
  private let unknown: Int32
  /// The ids before and after every text.
  private let before: [Int32]
  private let after: [Int32]
  /// In characters; longer words are unknown.
  private let longestWord: Int

  init(_ file: WordPieceFile) {
    normalizer = file.normalizer
    (beginnings, continuations, unknown) = (file.beginnings, file.continuations, file.unknown)
    (before, after, longestWord) = (file.before, file.after, file.longestWord)
    (vocabularySize, statedLimit) = (file.vocabularySize, file.limit)
  }

  /// Reads a `tokenizer.json`.
  ///
  /// - Throws: `Failure(.badData)` naming the member that is damaged, or a setting that is not supported.
  public init(path: String) throws {
    self.init(try WordPieceFile(JSON(parsing: Files.read(path), source: path), source: path))
  }

  /// The ids of a text between the marks that every text gets.
  ///
  /// - Parameter limit: the most ids with the marks, at least as many as the marks; the text's last ones are left out.
  public func encode(_ text: String, limit: Int) -> [Int32] {
    let room = limit - markCount
    precondition(room >= 0, "\(limit) ids leave no room for the marks")
    var ids: [Int32] = []
    for word in BertNormalizer.pieces(normalizer(text)) where ids.count < room { append(word, to: &ids) }
    return before + ids.prefix(room) + after
  }

  /// How many ids the marks around a text take.
  public var markCount: Int { before.count + after.count }

  private func append(_ word: ArraySlice<UInt32>, to ids: inout [Int32]) {
    guard word.count <= longestWord else { return ids.append(unknown) }
    var bytes: [UInt8] = []
    // Where each character begins, and the end of the last.
    var places = [0]
    for scalar in word {
      bytes += UTF8.encode(Unicode.Scalar(scalar)!)!
      places.append(bytes.count)
    }
    let (old, last) = (ids.count, places.count - 1)
    var first = 0
    while first < last {
      let entries = first == 0 ? beginnings : continuations
      var end = last
      while end > first, entries[Array(bytes[places[first]..<places[end]])] == nil { end -= 1 }
      guard end > first else {
        ids.removeSubrange(old...)
        return ids.append(unknown)
      }
      ids.append(entries[Array(bytes[places[first]..<places[end]])]!)
      first = end
    }
  }
}
