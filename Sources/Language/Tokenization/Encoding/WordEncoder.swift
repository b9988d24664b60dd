import HeapModule

/// Merges the bytes of one piece of text into tokens: repeatedly the pair of lowest rank, the leftmost of equals.
///
/// It has scratch memory, so each thread needs an encoder of its own.
final class WordEncoder {
  /// Up to this number of bytes a scan for the lowest rank is faster than a heap.
  private static let scanLimit = 96

  private let merges: MergeTable
  private let ranks = UnsafeMutablePointer<UInt32>.allocate(capacity: WordEncoder.scanLimit)
  private var links = Links()

  init(_ merges: MergeTable) { self.merges = merges }

  deinit { ranks.deallocate() }

  /// Writes the ids of a piece to `output`, which has space for one per byte, and returns their number.
  func encode(_ word: UnsafePointer<UInt8>, count: Int, to output: UnsafeMutablePointer<UInt32>) -> Int {
    if !merges.wholes.isEmpty, let whole = merges.wholes[Array(UnsafeBufferPointer(start: word, count: count))] {
      output[0] = whole
      return 1
    }
    let symbols = begin(word, count, output)
    guard symbols <= Self.scanLimit else { return mergeByHeap(output, symbols) }
    if let rankOfBytes = merges.rankOfBytes {
      for i in 0..<max(0, symbols - 1) { ranks[i] = rankOfBytes[Int(word[i]) &<< 8 | Int(word[i + 1])] }
    } else {
      for i in 0..<max(0, symbols - 1) { ranks[i] = merges.rank(output[i], output[i + 1]) }
    }
    return mergeByScanning(output, symbols)
  }

  /// Writes the symbols before the first merge: bytes, or characters, with the bytes of characters that are not tokens.
  @inline(__always)
  private func begin(_ word: UnsafePointer<UInt8>, _ count: Int, _ output: UnsafeMutablePointer<UInt32>) -> Int {
    var symbols = 0
    guard let characters = merges.characters else {
      if merges.hasAllBytes {
        for i in 0..<count { output[i] = merges.idOfByte[Int(word[i])] }
        return count
      }
      // Bytes that the vocabulary lacks are left out, as in `tokenizers`.
      for i in 0..<count where merges.idOfByte[Int(word[i])] != UInt32.max {
        output[symbols] = merges.idOfByte[Int(word[i])]
        symbols += 1
      }
      return symbols
    }
    var i = 0
    while i < count {
      let (code, length) = scalar(word + i)
      if characters[Int(code)] > 0 {
        output[symbols] = characters[Int(code)] - 1
        symbols += 1
      } else {
        for place in i..<i + length {
          output[symbols] = merges.idOfByte[Int(word[place])]
          symbols += 1
        }
      }
      i += length
    }
    return symbols
  }

  /// Merges ids; `ranks` has the rank of each pair.
  private func mergeByScanning(_ ids: UnsafeMutablePointer<UInt32>, _ length: Int) -> Int {
    var count = length
    while count > 1 {
      var lowest = ranks[0]
      var at = 0
      for i in 1..<max(1, count - 1) where ranks[i] < lowest {
        lowest = ranks[i]
        at = i
      }
      if lowest == MergeTable.none { break }
      ids[at] = merges.merged(ids[at], ids[at + 1], rank: lowest)
      count -= 1
      for i in at + 1..<max(at + 1, count) { ids[i] = ids[i + 1] }
      for i in at + 1..<max(at + 1, count - 1) { ranks[i] = ranks[i + 1] }
      if at > 0 { ranks[at - 1] = merges.rank(ids[at - 1], ids[at]) }
      if at < count - 1 { ranks[at] = merges.rank(ids[at], ids[at + 1]) }
    }
    return count
  }

  /// A doubly linked list of the remaining symbols of a long word.
  private struct Links {
    var next: [Int32] = []
    var previous: [Int32] = []
    /// The rank of the pair that begins at each symbol.
    var rank: [UInt32] = []
  }

  /// Merges n bytes in O(n log n) time. Heap entries are `rank << 32 | position`; an entry whose position has another
  /// rank by now is skipped.
  private func mergeByHeap(_ ids: UnsafeMutablePointer<UInt32>, _ count: Int) -> Int {
    precondition(count < Int32.max, "a piece of text of 2 GiB")
    links.next = (0..<count).map { Int32($0 + 1) }
    links.previous = (0..<count).map { Int32($0 - 1) }
    links.rank = (0..<count).map { $0 + 1 < count ? merges.rank(ids[$0], ids[$0 + 1]) : MergeTable.none }
    var heap = Heap(
      links.rank.indices.lazy.filter { self.links.rank[$0] != MergeTable.none }
        .map { UInt64(self.links.rank[$0]) << 32 | UInt64($0) })

    while let entry = heap.popMin() {
      let at = Int(entry & 0xFFFF_FFFF)
      let rank = UInt32(entry >> 32)
      guard links.rank[at] == rank else { continue }
      let removed = Int(links.next[at])
      let after = Int(links.next[removed])
      ids[at] = merges.merged(ids[at], ids[removed], rank: rank)
      links.rank[removed] = MergeTable.none
      links.next[at] = Int32(after)
      if after < count { links.previous[after] = Int32(at) }
      refresh(at, before: after < count ? after : nil, ids, &heap)
      let before = Int(links.previous[at])
      if before >= 0 { refresh(before, before: at, ids, &heap) }
    }
    return compact(ids, count)
  }

  private func refresh(_ at: Int, before next: Int?, _ ids: UnsafeMutablePointer<UInt32>, _ heap: inout Heap<UInt64>) {
    let rank = next.map { merges.rank(ids[at], ids[$0]) } ?? MergeTable.none
    links.rank[at] = rank
    if rank != MergeTable.none { heap.insert(UInt64(rank) << 32 | UInt64(at)) }
  }

  private func compact(_ ids: UnsafeMutablePointer<UInt32>, _ count: Int) -> Int {
    var written = 0
    var at = 0
    while at < count {
      ids[written] = ids[at]
      written += 1
      at = Int(links.next[at])
    }
    return written
  }
}
