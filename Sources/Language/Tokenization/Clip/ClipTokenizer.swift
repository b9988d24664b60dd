import Diagnostics

/// Turns captions into the ids of CLIP's vocabulary (Radford et al. 2021): text in lower case, words without the blanks
/// between them, byte-level BPE in which the last byte of a word is a symbol of its own.
///
/// Ids equal those of Python's `tokenizers` for CLIP's `tokenizer.json`. open_clip's own tokenizer mends broken encodings
/// and resolves HTML's entities before, so that it differs where a caption has such. A caption that spells a special token
/// stays text.
public struct ClipTokenizer: Sendable {
  let vocabulary: ClipVocabulary

  init(_ vocabulary: ClipVocabulary) { self.vocabulary = vocabulary }

  /// One more than the largest id.
  public var vocabularySize: Int { vocabulary.tokens.count }
  /// The ids before and after every caption.
  public var beginOfText: Int32 { vocabulary.begin }
  public var endOfText: Int32 { vocabulary.end }

  /// As vocabulary files spell a token.
  public func spelling(of id: Int32) -> String { vocabulary.tokens[Int(id)] }

  /// The ids of a caption, without the marks around it.
  public func encode(_ caption: String) -> [Int32] {
    let composed = Composition.shared.composed(caption.unicodeScalars.map(\.value))
    return Self.words(BertNormalizer.lowered(composed)).flatMap { ids(of: $0) }
  }

  /// The pieces of a text, in this order of preference: `'s`, `'t`, `'re`, `'ve`, `'m`, `'ll`, `'d`; letters; one number;
  /// other characters than blanks.
  static func words(_ text: [UInt32]) -> [ArraySlice<UInt32>] {
    let classes = CharacterClasses.shared
    var words: [ArraySlice<UInt32>] = []
    var start = 0
    while start < text.count {
      let kind = classes.of(text[start])
      var end = start + 1
      if let length = contraction(text[start...]) {
        end = start + length
      } else if kind == .letter || kind == .other {
        while end < text.count, classes.of(text[end]) == kind { end += 1 }
      }
      if kind != .whiteSpace { words.append(text[start..<end]) }
      start = end
    }
    return words
  }

  private static let contractions = ["s", "t", "re", "ve", "m", "ll", "d"].map { $0.unicodeScalars.map(\.value) }

  private static func contraction(_ text: ArraySlice<UInt32>) -> Int? {
    guard text.first == 0x27 else { return nil }
    let rest = text.dropFirst()
    return contractions.first { rest.starts(with: $0) }.map { $0.count + 1 }
  }

  private func ids(of word: ArraySlice<UInt32>) -> [Int32] {
    let bytes = word.flatMap { Array(UTF8.encode(Unicode.Scalar($0)!)!) }
    var ids = bytes.dropLast().map { vocabulary.inner[Int($0)] } + [vocabulary.last[Int(bytes.last!)]]
    // Words are short; a scan for the lowest rank is all that it takes.
    while let best = lowestMerge(ids) {
      ids[best.place] = best.merged
      ids.remove(at: best.place + 1)
    }
    return ids
  }

  private func lowestMerge(_ ids: [Int32]) -> (place: Int, merged: Int32)? {
    var best: (rank: Int, place: Int, merged: Int32)?
    for place in ids.indices.dropLast() {
      guard let merge = vocabulary.merge(ids[place], ids[place + 1]), merge.rank < best?.rank ?? .max else { continue }
      best = (merge.rank, place, merge.merged)
    }
    return best.map { ($0.place, $0.merged) }
  }
}
