/// Remembers the tokens of words met before. Text repeats its words, so that this is where most of its bytes pass.
///
/// A direct-mapped table, one cache line an entry: up to 32 bytes of word, padded with zeros, up to seven
/// ids, the two lengths. A new word takes the place of the one it collides with. Whether a word is found never shows
/// in the result.
struct WordCache: ~Copyable {
  static let longestWord = 32
  private static let mostTokens = 7
  /// Of the number of entries, at most: 2 MiB of them.
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

    /// Reads up to 32 bytes, whatever the length: the text is padded.
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
  /// What remains of a hash, shifted so far, is an entry's number.
  private let shift: UInt64

  /// - Parameter count: how many bytes of text will pass, if not many: a short text pays for few entries.
  init(forBytes count: Int = .max) {
    let bits = min(Self.mostBits, UInt64(Int.bitWidth - (count / 4).leadingZeroBitCount))
    shift = 63 - bits
    let size = 64 << Int(bits)
    // Aligned by hand: where the C library is asked for aligned memory again and again, and something small is kept in
    // between, it never takes what was freed before. A generation for 50,000 prompts grew to 24 GiB so.
    memory = .allocate(byteCount: size + 63, alignment: 16)
    entries = memory.alignedUp(toMultipleOf: 64)
    entries.initializeMemory(as: UInt8.self, repeating: 0, count: size)
  }

  deinit { memory.deallocate() }

  /// The entry where a word is, or would be.
  @inline(__always)
  func entry(for key: Key) -> UnsafeMutableRawPointer {
    // One of its 64 bits goes first: a single entry leaves none, and no shift drops 64.
    entries + Int((key.hash &>> 1) &>> shift) &<< 6
  }

  /// Copies the ids of a word that is known to `output`, which has room for eight, and returns how many there are.
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

  /// Remembers a word, if it has few enough tokens.
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
