import HeapModule

/// The words of a corpus as sequences of ids, with the counts of neighbouring pairs, which each merge updates.
///
/// It follows the trainer of Hugging Face's `tokenizers` step by step, so that merges are equal even where that trainer
/// is unusual: the most frequent pair merges first, of equals the smaller by (left id, right id); the count of a merged
/// pair is never reduced; and each group of new occurrences of a pair waits in the queue as an entry of its own.
struct MergeLearner {
  typealias Pair = UInt64

  /// A pair that waits to be merged in these words.
  private struct Candidate: Comparable {
    /// The pair's count when it was queued; it may be lower by now.
    var count: Int
    let pair: Pair
    let words: [UInt32]

    static func < (a: Candidate, b: Candidate) -> Bool {
      a.count != b.count ? a.count < b.count : a.pair > b.pair
    }
    static func == (a: Candidate, b: Candidate) -> Bool { a.count == b.count && a.pair == b.pair }
  }

  /// All words one after the other. Merging shortens a word and leaves the end of its space unused.
  private var symbols: [UInt32] = []
  private var starts: [Int] = []
  private var lengths: [UInt32] = []
  private let wordCounts: [Int]

  private var indexOfPair: [Pair: Int] = [:]
  private var pairs: [Pair] = []
  private var pairCounts: [Int] = []
  /// For each pair, by index, the words with new occurrences since the pair was last queued; and the pairs that have
  /// such.
  private var newWords: [[UInt32]] = []
  private var touched: [Int] = []
  private var queue = Heap<Candidate>()

  static func pair(_ left: UInt32, _ right: UInt32) -> Pair { Pair(left) << 32 | Pair(right) }

  /// - Parameters:
  ///   - words: distinct words with their counts.
  ///   - idOfByte: the id of each byte.
  init(_ words: [(word: [UInt8], count: Int)], idOfByte: [UInt32]) {
    wordCounts = words.map(\.count)
    starts.reserveCapacity(words.count)
    lengths.reserveCapacity(words.count)
    symbols.reserveCapacity(words.reduce(0) { $0 + $1.word.count })
    for (index, (word, count)) in words.enumerated() {
      starts.append(symbols.count)
      lengths.append(UInt32(word.count))
      symbols += word.map { idOfByte[Int($0)] }
      for i in 1..<max(1, word.count) {
        change(idOfByte[Int(word[i - 1])], idOfByte[Int(word[i])], by: count, inWord: UInt32(index))
      }
    }
    enqueue()
  }

  /// Removes the next pair to merge from the queue; nil if no pair is left.
  mutating func next() -> (left: UInt32, right: UInt32, words: [UInt32])? {
    while var top = queue.popMax() {
      let count = pairCounts[indexOfPair[top.pair]!]
      if top.count == count {
        guard count > 0 else { return nil }
        return (UInt32(top.pair >> 32), UInt32(truncatingIfNeeded: top.pair), top.words)
      }
      top.count = count
      queue.insert(top)
    }
    return nil
  }

  /// Replaces a pair by one id in the given words.
  mutating func merge(_ left: UInt32, _ right: UInt32, into merged: UInt32, inWords words: [UInt32]) {
    for word in words { merge(left, right, into: merged, inWord: word) }
    enqueue()
  }

  private mutating func merge(_ left: UInt32, _ right: UInt32, into merged: UInt32, inWord word: UInt32) {
    let start = starts[Int(word)]
    let count = wordCounts[Int(word)]
    let end = start + Int(lengths[Int(word)])
    var read = start
    var written = start
    while read < end {
      guard symbols[read] == left, read + 1 < end, symbols[read + 1] == right else {
        symbols[written] = symbols[read]
        read += 1
        written += 1
        continue
      }
      if written > start {
        change(symbols[written - 1], left, by: -count, inWord: word)
        change(symbols[written - 1], merged, by: count, inWord: word)
      }
      if read + 2 < end {
        change(right, symbols[read + 2], by: -count, inWord: word)
        change(merged, symbols[read + 2], by: count, inWord: word)
      }
      symbols[written] = merged
      read += 2
      written += 1
    }
    lengths[Int(word)] = UInt32(written - start)
  }

  private mutating func change(_ left: UInt32, _ right: UInt32, by count: Int, inWord word: UInt32) {
    let index = index(of: Self.pair(left, right))
    pairCounts[index] += count
    guard count > 0 else { return }
    if newWords[index].isEmpty { touched.append(index) }
    // Words come in order, so a word that is already listed is the last.
    if newWords[index].last != word { newWords[index].append(word) }
  }

  private mutating func index(of pair: Pair) -> Int {
    if let known = indexOfPair[pair] { return known }
    let index = pairs.count
    indexOfPair[pair] = index
    pairs.append(pair)
    pairCounts.append(0)
    newWords.append([])
    return index
  }

  /// Queues the pairs with new occurrences.
  private mutating func enqueue() {
    for index in touched {
      let words = newWords[index]
      newWords[index] = []
      if pairCounts[index] > 0 {
        queue.insert(Candidate(count: pairCounts[index], pair: pairs[index], words: words))
      }
    }
    touched.removeAll(keepingCapacity: true)
  }
}
