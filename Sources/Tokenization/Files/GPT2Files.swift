import Artifacts
import Diagnostics

/// GPT-2's own pair of files: `encoder.json` (token to id) and `vocab.bpe` (the merges, one a line).
enum GPT2Files {
  static let encoderName = "encoder.json"
  static let mergesName = "vocab.bpe"
  /// Room for tokens that are added as they are, or reserved.
  private static let mostUnmade = 2048

  /// - Throws: `Failure(.badData)` where the files are damaged or do not belong together.
  static func vocabulary(
    encoder: some Collection<UInt8>, merges: some Collection<UInt8>, encoderPath: String, mergesPath: String
  ) throws -> Vocabulary {
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
    let specials = ids.filter { $0.spelling == Vocabulary.endOfTextName }
    let merges = try lines(merges, mergesPath)
    // A list of merges that was cut still reads well, and gives other ids.
    let unmade = ids.count - 256 - merges.count
    guard unmade <= mostUnmade else {
      throw Failure(
        .badData,
        "has \(merges.count) merges, but \(ids.count) tokens are to be made of 256 bytes; it may be cut short",
        at: mergesPath)
    }
    return try SpelledVocabulary(
      tokens: ids, merges: merges,
      specials: specials.map { Vocabulary.Special(id: Int32($0.id), content: $0.spelling) }, source: mergesPath
    ).vocabulary()
  }

  private static func lines(_ bytes: some Collection<UInt8>, _ path: String) throws -> [(left: String, right: String)] {
    let text = String(decoding: bytes, as: UTF8.self)
    var lines = text.split(separator: "\n", omittingEmptySubsequences: true)[...]
    if lines.first?.hasPrefix("#version") == true { lines = lines.dropFirst() }
    return try zip(lines.indices, lines).map { index, line in
      let parts = line.split(separator: " ", omittingEmptySubsequences: false)
      guard parts.count == 2 else {
        throw Failure(.badData, "line \(index + 1): expected two tokens, found '\(line)'", at: path)
      }
      return (String(parts[0]), String(parts[1]))
    }
  }
}
