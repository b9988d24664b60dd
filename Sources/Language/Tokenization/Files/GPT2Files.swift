import Diagnostics
import JSON

/// GPT-2's pair of files: `encoder.json` (token to id) and `vocab.bpe` (the merges, one a line). In transformers they
/// are called `vocab.json` and `merges.txt`.
enum GPT2Files {
  /// The most tokens without a merge: added and reserved ones.
  private static let mostWithoutMerge = 2048

  /// The vocabulary in the files' spelling, and a list for its added tokens, still empty.
  ///
  /// - Throws: `Failure(.badData)` if the files are damaged or do not belong together.
  static func read(
    encoder: some Collection<UInt8>, merges: some BidirectionalCollection<UInt8>, encoderPath: String,
    mergesPath: String
  ) throws -> (SpelledVocabulary, AddedTokenList) {
    guard let tokens = try JSON(parsing: encoder, source: encoderPath).objectValue else {
      throw Failure(.badData, "should be an object of tokens and ids", at: encoderPath)
    }
    let ids = try tokens.map { spelling, id in
      guard let id = id.intValue, id >= 0, id < Vocabulary.maximumSize else {
        throw Failure(
          .badData, "the id of '\(spelling)' should be an integer below \(Vocabulary.maximumSize)", at: encoderPath)
      }
      return (spelling: spelling, id: id)
    }
    let spelled = SpelledVocabulary(tokens: ids, merges: try lines(merges, mergesPath), source: mergesPath)
    try checkThatNoneIsMissing(spelled, mergesPath)
    return (spelled, AddedTokenList(model: ids))
  }

  /// Refuses a list of merges that was cut short: it would be well-formed, but give other ids.
  private static func checkThatNoneIsMissing(_ spelled: SpelledVocabulary, _ path: String) throws {
    let (tokens, merges) = (spelled.tokens, spelled.merges)
    let most = merges.isEmpty ? 0 : mostWithoutMerge
    let single = tokens.count { ByteAlphabet.bytes(spelledBy: $0.spelling)?.count == 1 }
    let isKnown = tokens.contains { ExactString($0.spelling) == ExactString(Vocabulary.endOfTextName) }
    guard tokens.count - single - merges.count - (isKnown ? 1 : 0) > most else { return }
    throw Failure(
      .badData,
      "has \(merges.count) merges, but \(tokens.count) tokens are to be made of \(single) bytes; it may be cut short",
      at: path)
  }

  private static func lines(
    _ bytes: some BidirectionalCollection<UInt8>, _ path: String
  ) throws -> [(left: String, right: String)] {
    var merges: [(left: String, right: String)] = []
    for (index, line) in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated() {
      // Windows ends lines with CR LF.
      let text = String(decoding: line.last == UInt8(ascii: "\r") ? line.dropLast() : line, as: UTF8.self)
      if text.isEmpty || index == 0 && text.utf8.starts(with: "#version".utf8) { continue }
      guard let parts = MergeLine.parts(text) else {
        throw Failure(.badData, "line \(index + 1): expected two tokens, found '\(text)'", at: path)
      }
      merges.append(parts)
    }
    return merges
  }
}
