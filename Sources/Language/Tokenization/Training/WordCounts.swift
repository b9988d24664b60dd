import Glibc

/// The count of each distinct piece of text: a hash table with open addressing, with its keys in one arena.
///
/// Its memory grows only with the number of distinct pieces. Threads that write must not share it.
public final class WordCounts: @unchecked Sendable {
  private struct Entry {
    var hash: UInt64
    /// The piece's place in `arena`.
    var offset: Int
    var length: Int
    /// 0 marks an empty slot.
    var count: Int
  }

  private var entries = [Entry](repeating: Entry(hash: 0, offset: 0, length: 0, count: 0), count: 1 << 12)
  private var arena = ByteBuffer(capacity: 1 << 16)
  /// The number of distinct pieces.
  public private(set) var distinct = 0

  /// Counts every piece of a text that is not a part of a longer one.
  ///
  /// - Parameter text: valid UTF-8, followed by `ByteBuffer.padding` bytes that may be read.
  func add(text: UnsafePointer<UInt8>, count: Int) {
    let pretokenizer = Pretokenizer()
    var start = 0
    while start < count {
      let end = pretokenizer.pieceEnd(text, from: start, end: count)
      add(UnsafeBufferPointer(start: text + start, count: end - start), times: 1)
      start = end
    }
  }

  /// Adds another table's counts.
  func add(_ other: WordCounts) {
    for entry in other.entries where entry.count > 0 {
      add(UnsafeBufferPointer(start: other.arena.base + entry.offset, count: entry.length), times: entry.count)
    }
  }

  /// The pieces with their counts, in the order of their bytes, which does not depend on the order of counting.
  func sorted() -> [(word: [UInt8], count: Int)] {
    entries.lazy.filter { $0.count > 0 }
      .map { ([UInt8](UnsafeBufferPointer(start: self.arena.base + $0.offset, count: $0.length)), $0.count) }
      .sorted { $0.0.lexicographicallyPrecedes($1.0) }
  }

  private func add(_ word: UnsafeBufferPointer<UInt8>, times: Int) {
    let hash = Self.hash(word)
    let slot = slot(of: word, hash)
    if entries[slot].count > 0 {
      entries[slot].count += times
      return
    }
    entries[slot] = Entry(hash: hash, offset: arena.count, length: word.count, count: times)
    arena.append(word)
    distinct += 1
    if distinct * 2 > entries.count { grow() }
  }

  private func slot(of word: UnsafeBufferPointer<UInt8>, _ hash: UInt64) -> Int {
    let mask = entries.count - 1
    var slot = Int(truncatingIfNeeded: hash) & mask
    while entries[slot].count > 0 {
      let entry = entries[slot]
      if entry.hash == hash, entry.length == word.count,
        memcmp(arena.base + entry.offset, word.baseAddress!, word.count) == 0
      {
        return slot
      }
      slot = (slot + 1) & mask
    }
    return slot
  }

  private func grow() {
    let old = entries
    entries = [Entry](repeating: Entry(hash: 0, offset: 0, length: 0, count: 0), count: old.count * 2)
    let mask = entries.count - 1
    for entry in old where entry.count > 0 {
      var slot = Int(truncatingIfNeeded: entry.hash) & mask
      while entries[slot].count > 0 { slot = (slot + 1) & mask }
      entries[slot] = entry
    }
  }

  private static func hash(_ word: UnsafeBufferPointer<UInt8>) -> UInt64 {
    var hash = UInt64(word.count) &* 0x9E37_79B9_7F4A_7C15
    let raw = UnsafeRawPointer(word.baseAddress!)
    var i = 0
    while i < word.count {
      // The last load may reach past the piece, into text or padding; those bytes are masked.
      var part = raw.loadUnaligned(fromByteOffset: i, as: UInt64.self)
      if word.count - i < 8 { part &= UInt64.max >> UInt64(64 - 8 * (word.count - i)) }
      let product = (hash ^ part).multipliedFullWidth(by: 0xA076_1D64_78BD_642F)
      hash = product.high ^ product.low ^ part
      i += 8
    }
    return hash ^ hash >> 29
  }
}
