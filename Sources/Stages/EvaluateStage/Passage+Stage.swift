import LanguageEvaluation
import Tokenization

extension Passage {
  /// Tokens from the middle of a split: from the next start of a paragraph, or of a line, if one is near.
  ///
  /// - Parameter count: the number of tokens; nil results from 0.
  init?(of artifact: TokensArtifact, _ split: TokenSplit, tokens count: Int) throws {
    guard count > 0 else { return nil }
    let count = min(count, split.count)
    let tokenizer = try artifact.loadTokenizer()
    let middle = (split.count - count) / 2
    let near = try split.tokens(in: middle..<min(middle + Self.searched, split.count - count)).map {
      tokenizer.decode([$0])
    }
    let offset = Self.paragraphStart(near) ?? near.firstIndex { $0.last == Self.feed }.map { $0 + 1 } ?? 0
    let start = middle + offset
    self.init(
      start: start,
      tokens: try split.tokens(in: start..<start + count).map { tokenizer.decode([$0]) })
  }

  /// How many tokens are looked at for the start of a paragraph or line.
  private static let searched = 400
  private static let feed = UInt8(ascii: "\n")

  /// The index after the first two line feeds in a row.
  static func paragraphStart(_ tokens: [[UInt8]]) -> Int? {
    var feeds = 0
    for (index, bytes) in tokens.enumerated() {
      if feeds >= 2 && bytes.first != feed { return index }
      let trailing = bytes.reversed().prefix { $0 == feed }.count
      feeds = trailing == bytes.count ? feeds + trailing : trailing
    }
    return nil
  }
}
