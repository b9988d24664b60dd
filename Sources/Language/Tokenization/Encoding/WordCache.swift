/// Caches the tokens of words. Text repeats its words, so most bytes are encoded from this cache.
///
/// A direct-mapped table with one cache line an entry: up to 32 bytes of word, padded with zeros, up to seven ids, and
/// the two lengths. A new word replaces the one at its entry. A hit and a miss give the same result.
struct WordCache: ~Copyable {
  static let longestWord = 32
  private static let mostTokens = 7
  /// Binary logarithm of the largest number of entries, which take 2 MiB.
  private static let mostBits: UInt64 = 15

  /// The offsets inside an entry of 64 bytes.
  private enum Offset {
    static let ids = 32
    static let wordLength = 60
    static let idCount = 61
  }

  /// A word in four registers, bytes past its end zero.
  struct Key {
    var w0: UInt64
    var w1: UInt64
    var w2: UInt64 = 0
    var w3: UInt64 = 0
    let length: UInt8

    /// Reads 32 bytes whatever the length, because the text is padded.
    @inline(__always)
    init(_ word: UnsafePointer<UInt8>, length count: Int) {
      let raw = UnsafeRawPointer(word)
      length = UInt8(truncatingIfNeeded: count)
      w0 = raw.loadUnaligned(as: UInt64.self)
      w1 = raw.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
      if count <= 8 {
        w0 &= UInt64.max &>> (64 &- 8 &* UInt64(truncatingIfNeeded: count))
        w1 = 0
      } else if count <= 16 {
        w1 &= UInt64.max &>> (128 &- 8 &* UInt64(truncatingIfNeeded: count))
      } else {
        w2 = raw.loadUnaligned(fromByteOffset: 16, as: UInt64.self)
        if count <= 24 {
          w2 &= UInt64.max &>> (192 &- 8 &* UInt64(truncatingIfNeeded: count))
        } else {
          w3 = raw.loadUnaligned(fromByteOffset: 24, as: UInt64.self)
          w3 &= UInt64.max &>> (256 &- 8 &* UInt64(truncatingIfNeeded: count))
        }
      }
    }

    @inline(__always)
    var hash: UInt64 {
      let low = w0 ^ (w2 &* 0x9FB2_1C65_1E98_DF25)
      let high = w1 ^ (w3 &* 0xD6E8_FEB8_6659_FD93)
      let product = (low ^ 0xA076_1D64_78BD_642F).multipliedFullWidth(by: high ^ 0xE703_7ED1_A0B4_28DB)
      return (product.high ^ product.low) &* 0x9E37_79B9_7F4A_7C15
    }
  }

  private let memory: UnsafeMutableRawPointer
  private let entries: UnsafeMutableRawPointer
  /// A hash shifted right by this is an entry's number.
  private let shift: UInt64

  /// - Parameter count: the number of bytes of text to come, if small; a short text then needs few entries.
  init(forBytes count: Int = .max) {
    let bits = min(Self.mostBits, UInt64(Int.bitWidth - (count / 4).leadingZeroBitCount))
    shift = 63 - bits
    let size = 64 << Int(bits)
    // Aligned here, not by the allocator: glibc does not reuse freed blocks for repeated aligned requests with small
    // allocations in between. With them, a generation for 50,000 prompts grew to 24 GiB.
    memory = .allocate(byteCount: size + 63, alignment: 16)
    entries = memory.alignedUp(toMultipleOf: 64)
    entries.initializeMemory(as: UInt8.self, repeating: 0, count: size)
  }

  deinit { memory.deallocate() }

  /// The entry of a word, which may hold another.
  @inline(__always)
  func entry(for key: Key) -> UnsafeMutableRawPointer {
    // A single entry needs a shift by 64 bits, which one operation cannot do; so one bit is shifted first.
    entries + Int((key.hash &>> 1) &>> shift) &<< 6
  }

  /// Copies the ids of a cached word to `output`, which has space for eight, and returns their number; nil on a miss.
  @inline(__always)
  func find(_ key: Key, in entry: UnsafeMutableRawPointer, to output: UnsafeMutablePointer<UInt32>) -> Int? {
    let words = entry.assumingMemoryBound(to: UInt64.self)
    guard words[0] == key.w0, words[1] == key.w1, words[2] == key.w2, words[3] == key.w3,
      entry.load(fromByteOffset: Offset.wordLength, as: UInt8.self) == key.length
    else { return nil }
    let ids = entry + Offset.ids
    let target = UnsafeMutableRawPointer(output)
    target.storeBytes(of: ids.load(as: SIMD4<UInt32>.self), as: SIMD4<UInt32>.self)
    target.storeBytes(of: (ids + 16).load(as: SIMD4<UInt32>.self), toByteOffset: 16, as: SIMD4<UInt32>.self)
    return Int(entry.load(fromByteOffset: Offset.idCount, as: UInt8.self))
  }

  /// Stores a word, unless it has too many tokens.
  func store(_ key: Key, in entry: UnsafeMutableRawPointer, _ ids: UnsafePointer<UInt32>, count: Int) {
    guard count <= Self.mostTokens else { return }
    let words = entry.assumingMemoryBound(to: UInt64.self)
    words[0] = key.w0
    words[1] = key.w1
    words[2] = key.w2
    words[3] = key.w3
    for i in 0..<count { entry.storeBytes(of: ids[i], toByteOffset: Offset.ids + 4 * i, as: UInt32.self) }
    entry.storeBytes(of: key.length, toByteOffset: Offset.wordLength, as: UInt8.self)
    entry.storeBytes(of: UInt8(count), toByteOffset: Offset.idCount, as: UInt8.self)
  }
}
