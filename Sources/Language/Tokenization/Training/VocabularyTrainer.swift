import Diagnostics

/// Learns a byte-level BPE vocabulary: `<|endoftext|>` is id 0, the 256 bytes follow in the order of `ByteAlphabet`,
/// then one token per merge.
///
/// Merges and ids equal those of Python's `tokenizers`: `BpeTrainer(special_tokens=["<|endoftext|>"],
/// initial_alphabet=ByteLevel.alphabet())` over documents split by `ByteLevel(add_prefix_space=False)`.
public enum VocabularyTrainer {
  /// The size of the smallest vocabulary: the special token and the bytes.
  public static let smallestSize = 257

  /// - Parameters:
  ///   - size: the number of entries to make.
  ///   - progress: called with the number of entries so far.
  /// - Throws: `Failure(.badConfiguration)` if the text has too few different pairs.
  public static func train(_ counts: WordCounts, size: Int, progress: (Int) -> Void = { _ in }) throws -> Vocabulary {
    let vocabulary = try train(counts, atMost: size, progress: progress)
    guard vocabulary.size == size else {
      throw Failure(
        .badConfiguration,
        "the text gives \(vocabulary.size) entries at most, \(size) are wanted; ask for fewer or give more text",
        at: "vocabulary")
    }
    return vocabulary
  }

  /// - Parameter size: the most entries to make; fewer if the text has too few different pairs.
  public static func train(
    _ counts: WordCounts, atMost size: Int, progress: (Int) -> Void = { _ in }
  ) throws -> Vocabulary {
    precondition((smallestSize...Vocabulary.maximumSize).contains(size), "a vocabulary of \(size)")
    var tokens: [[UInt8]] = [Array(Vocabulary.endOfTextName.utf8)] + ByteAlphabet.order.map { [$0] }
    var idOfByte = [UInt32](repeating: 0, count: 256)
    for (index, byte) in ByteAlphabet.order.enumerated() { idOfByte[Int(byte)] = UInt32(1 + index) }

    var ids: [[UInt8]: UInt32] = [:]
    var merges: [Vocabulary.Merge] = []
    var learner = MergeLearner(counts.sorted(), idOfByte: idOfByte)
    while tokens.count < size {
      try Interruption.check()
      guard let (left, right, words) = learner.next() else { break }
      // Two pairs can spell the same token, such as `a`+`bc` and `ab`+`c`; they share its id.
      let spelling = tokens[Int(left)] + tokens[Int(right)]
      let id = ids[spelling] ?? UInt32(tokens.count)
      if id == tokens.count {
        ids[spelling] = id
        tokens.append(spelling)
        progress(tokens.count)
      }
      merges.append(Vocabulary.Merge(left: Int32(left), right: Int32(right), merged: Int32(id)))
      learner.merge(left, right, into: id, inWords: words)
    }
    let special = Vocabulary.Added(id: 0, content: Vocabulary.endOfTextName)
    return try Vocabulary(
      tokens: tokens, merges: lastOfEach(merges), specials: [special], inModel: [special.id],
      source: "the trained vocabulary")
  }

  /// Keeps only the last merge of a pair that was merged more than once, as `tokenizers` does.
  private static func lastOfEach(_ merges: [Vocabulary.Merge]) -> [Vocabulary.Merge] {
    var seen: Set<MergeLearner.Pair> = []
    let kept = merges.reversed().filter { seen.insert(MergeLearner.pair(UInt32($0.left), UInt32($0.right))).inserted }
    return kept.reversed()
  }
}
