import Glibc

/// The pairs of ids that merge, with rank and result: a hash table with open addressing, one 64-bit word a slot.
///
/// Immutable, so any number of threads may read it.
final class MergeTable: @unchecked Sendable {
  static let none = UInt32.max

  private static let idBits: UInt64 = 21
  private static let placeBits: UInt64 = 22
  private static let empty = UInt64.max

  /// `left << 43 | right << 22 | place of the merge`, or all ones.
  private let slots: UnsafeMutablePointer<UInt64>
  private let mask: UInt64
  private let shift: UInt64
  /// The result of each merge, by place.
  private let merged: UnsafeMutablePointer<UInt32>
  /// The rank of each merge, by place; nil if every merge's place is its rank.
  private let ranks: UnsafeMutablePointer<UInt32>?
  let idOfByte: UnsafeMutablePointer<UInt32>
  /// Whether every byte has an id.
  let hasAllBytes: Bool
  /// The rank of the merge of each two bytes, at `left << 8 | right`; nil if encoding does not begin with bytes, or a
  /// byte has no id. Unlike `slots`, the part of this table that a language uses stays in the first-level cache.
  let rankOfBytes: UnsafeMutablePointer<UInt32>?
  /// One more than the id of each character that is a token, 0 for others; nil if encoding begins with bytes.
  let characters: UnsafeMutablePointer<UInt32>?
  /// The ids of whole pieces to which merges are not applied.
  let wholes: [[UInt8]: UInt32]

  init(_ vocabulary: Vocabulary) {
    let bits = UInt64(
      max(4, (vocabulary.merges.count * 2).bitWidth - (vocabulary.merges.count * 2).leadingZeroBitCount))
    slots = .allocate(capacity: 1 << bits)
    slots.initialize(repeating: Self.empty, count: 1 << bits)
    mask = 1 << bits - 1
    shift = 64 - bits
    merged = .allocate(capacity: max(1, vocabulary.merges.count))
    ranks = vocabulary.ranks.isEmpty ? nil : .allocate(capacity: vocabulary.ranks.count)
    ranks?.initialize(from: vocabulary.ranks.map(UInt32.init), count: vocabulary.ranks.count)
    idOfByte = .allocate(capacity: 256)
    hasAllBytes = !vocabulary.idOfByte.contains(-1)
    characters = Self.characters(vocabulary)
    wholes = Self.wholes(vocabulary)
    rankOfBytes = hasAllBytes && characters == nil ? .allocate(capacity: 1 << 16) : nil
    for byte in 0..<256 { (idOfByte + byte).initialize(to: UInt32(bitPattern: vocabulary.idOfByte[byte])) }
    for (place, merge) in vocabulary.merges.enumerated() {
      (merged + place).initialize(to: UInt32(merge.merged))
      insert(left: UInt32(merge.left), right: UInt32(merge.right), place: UInt32(place))
    }
    guard let rankOfBytes else { return }
    for pair in 0..<1 << 16 { (rankOfBytes + pair).initialize(to: rank(idOfByte[pair >> 8], idOfByte[pair & 0xFF])) }
  }

  private static func characters(_ vocabulary: Vocabulary) -> UnsafeMutablePointer<UInt32>? {
    guard vocabulary.rules.splitting == .sentencePiece else { return nil }
    // The system provides these zero pages only when they are touched.
    let table = calloc(0x11_0000, MemoryLayout<UInt32>.size)!.assumingMemoryBound(to: UInt32.self)
    let bytes = Set(vocabulary.idOfByte).union(vocabulary.idsOutsideModel)
    for (id, token) in vocabulary.tokens.enumerated() {
      // A second token for a byte need not be UTF-8.
      guard let token, !bytes.contains(Int32(id)), let text = String(validating: token, as: UTF8.self),
        let first = text.unicodeScalars.first, text.unicodeScalars.dropFirst().isEmpty
      else { continue }
      table[Int(first.value)] = UInt32(id) + 1
    }
    return table
  }

  private static func wholes(_ vocabulary: Vocabulary) -> [[UInt8]: UInt32] {
    guard vocabulary.rules.ignoresMerges else { return [:] }
    let outside = vocabulary.idsOutsideModel
    var wholes: [[UInt8]: UInt32] = Dictionary(minimumCapacity: vocabulary.size)
    for (id, token) in vocabulary.tokens.enumerated() where !outside.contains(Int32(id)) {
      if let token { wholes[token] = UInt32(id) }
    }
    return wholes
  }

  deinit {
    slots.deallocate()
    merged.deallocate()
    ranks?.deallocate()
    idOfByte.deallocate()
    rankOfBytes?.deallocate()
    free(characters)
  }

  /// Inserts a merge. Of several merges of one pair the last counts, as in `tokenizers`.
  private func insert(left: UInt32, right: UInt32, place: UInt32) {
    let pair = UInt64(left) << Self.idBits | UInt64(right)
    var slot = (pair &* 0x9E37_79B9_7F4A_7C15) &>> shift
    while slots[Int(slot)] != Self.empty, slots[Int(slot)] &>> Self.placeBits != pair { slot = (slot + 1) & mask }
    slots[Int(slot)] = pair << Self.placeBits | UInt64(place)
  }

  /// The rank of the merge of two neighbouring ids, or `none`.
  @inline(__always)
  func rank(_ left: UInt32, _ right: UInt32) -> UInt32 {
    let place = place(left, right)
    guard let ranks, place != Self.none else { return place }
    return ranks[Int(place)]
  }

  /// The id that two neighbouring ids merge into.
  ///
  /// - Parameter rank: of their merge.
  @inline(__always)
  func merged(_ left: UInt32, _ right: UInt32, rank: UInt32) -> UInt32 {
    merged[Int(ranks == nil ? rank : place(left, right))]
  }

  /// The place of the merge of two neighbouring ids, or `none`.
  @inline(__always)
  private func place(_ left: UInt32, _ right: UInt32) -> UInt32 {
    let pair = UInt64(left) &<< Self.idBits | UInt64(right)
    var slot = (pair &* 0x9E37_79B9_7F4A_7C15) &>> shift
    while true {
      let entry = slots[Int(slot)]
      if entry &>> Self.placeBits == pair { return UInt32(truncatingIfNeeded: entry & (1 &<< Self.placeBits &- 1)) }
      if entry == Self.empty { return Self.none }
      slot = (slot &+ 1) & mask
    }
  }
}
