import Diagnostics
import Files
import JSON

extension ClipTokenizer {
  /// Reads CLIP's `tokenizer.json`, its `vocab.json` with `merges.txt` beside it, or OpenAI's `bpe_simple_vocab_16e6.txt`,
  /// perhaps packed.
  ///
  /// - Returns: nil for a vocabulary of another kind.
  public static func read(_ path: String) throws -> ClipTokenizer? {
    let merges = "bpe_simple_vocab"
    if Files.name(of: path).hasPrefix(merges) { return ClipTokenizer(try listOfMerges(path)) }
    let json = try JSON(parsing: Files.read(path), source: path)
    return isClip(json) ? try ClipTokenizer(json, path: path) : nil
  }

  /// The vocabulary of OpenAI's list: all bytes, all bytes at the end of a word, as many of the merges as make 49,408
  /// tokens with the two marks.
  private static func listOfMerges(_ path: String) throws -> ClipVocabulary {
    let archive = try ArchiveReader(path)
    guard let text = try archive.next()?.whole(limit: 1 << 28) else {
      throw Failure(.badData, "is empty or too large for a list of merges", at: path)
    }
    let bytes = ByteAlphabet.order.map { ByteAlphabet.spelling(of: [$0]) }
    let count = 49_408 - 2 * bytes.count - 2
    let lines = text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).dropFirst().prefix(count)
    let pairs = try lines.enumerated().map { index, line in
      guard let parts = MergeLine.parts(String(decoding: line, as: UTF8.self)) else {
        throw Failure(.badData, "line \(index + 2): expected two tokens", at: path)
      }
      return parts
    }
    guard pairs.count == count else {
      throw Failure(.badData, "has \(pairs.count) merges, expected at least \(count); it may be cut short", at: path)
    }
    return try ClipVocabulary(
      tokens: bytes + bytes.map { $0 + ClipVocabulary.endOfWord } + pairs.map { $0.left + $0.right }
        + [ClipVocabulary.beginName, ClipVocabulary.endName],
      merges: pairs, source: path)
  }
}
