/// Unicode's canonical composition (NFC, Unicode Standard Annex 15), as Python's `tokenizers` has it; see
/// `scripts/generate/compositions.py`.
///
/// The normaliser of Swift's library is not public, and Foundation takes longer to load than most texts take to encode.
struct Composition: Sendable {
  static let shared = Composition()

  private let decompositions: [UInt32: ArraySlice<UInt32>]
  /// By `first << 32 | second`.
  private let compositions: [UInt64: UInt32]
  private let combiningClasses: [UInt32: UInt8]
  /// One bit for each scalar: whether composition can change it or use it to change another.
  private let isActive: [UInt64]

  private init() {
    var decompositions: [UInt32: ArraySlice<UInt32>] = [:]
    var compositions: [UInt64: UInt32] = [:]
    var classes: [UInt32: UInt8] = [:]
    let flat = CompositionTables.decompositions
    var place = 0
    while place < flat.count {
      let count = Int(flat[place + 1])
      decompositions[flat[place]] = flat[place + 2..<place + 2 + count]
      place += 2 + count
    }
    let pairs = CompositionTables.compositions
    for i in stride(from: 0, to: pairs.count, by: 3) {
      compositions[UInt64(pairs[i]) << 32 | UInt64(pairs[i + 1])] = pairs[i + 2]
    }
    let ranges = CompositionTables.combiningClasses
    for i in stride(from: 0, to: ranges.count, by: 3) {
      for code in ranges[i]...ranges[i + 1] { classes[code] = UInt8(ranges[i + 2]) }
    }
    self.decompositions = decompositions
    self.compositions = compositions
    combiningClasses = classes

    // A scalar is inactive if it keeps its place, does not join the one before it, and equals the composition of its
    // decomposition. All others are active.
    var active = [UInt64](repeating: 0, count: 0x11_0000 / 64)
    func mark(_ code: UInt32) { active[Int(code >> 6)] |= 1 << UInt64(code & 63) }
    classes.keys.forEach(mark)
    for pair in compositions.keys { mark(UInt32(truncatingIfNeeded: pair)) }
    let composed = Set(compositions.values)
    for code in decompositions.keys where !composed.contains(code) { mark(code) }
    for code in Hangul.vowels { mark(code) }
    for code in Hangul.finals { mark(code) }
    isActive = active
  }

  /// Appends the composed form of valid UTF-8.
  func append(_ text: UnsafeBufferPointer<UInt8>, to output: inout ByteBuffer) {
    guard needsWork(text) else { return output.append(text) }
    var scalars: [UInt32] = []
    scalars.reserveCapacity(text.count)
    forEachScalar(text) { decompose($0, into: &scalars) }
    reorder(&scalars)
    compose(&scalars)
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.count)
    for scalar in scalars { bytes += UTF8.encode(Unicode.Scalar(scalar)!)! }
    output.append(bytes[...])
  }

  /// The canonical decomposition (NFD).
  func decomposed(_ scalars: [UInt32]) -> [UInt32] {
    var parts: [UInt32] = []
    parts.reserveCapacity(scalars.count)
    for scalar in scalars { decompose(scalar, into: &parts) }
    reorder(&parts)
    return parts
  }

  /// The canonical composition (NFC).
  func composed(_ scalars: [UInt32]) -> [UInt32] {
    var parts = decomposed(scalars)
    compose(&parts)
    return parts
  }

  /// Whether a scalar keeps its place, is not replaced, and does not join the scalars before it. Text that begins with
  /// such a scalar can be composed separately from the text before it.
  func leavesAlone(_ code: UInt32) -> Bool { isActive[Int(code >> 6)] >> UInt64(code & 63) & 1 == 0 }

  private func needsWork(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
    guard text.contains(where: { $0 >= 0x80 }) else { return false }
    var found = false
    forEachScalar(text) { code in
      if !leavesAlone(code) { found = true }
    }
    return found
  }

  private func forEachScalar(_ text: UnsafeBufferPointer<UInt8>, _ body: (UInt32) -> Void) {
    var i = 0
    while i < text.count {
      let (code, length) = scalar(text.baseAddress! + i)
      body(code)
      i += length
    }
  }

  private func decompose(_ code: UInt32, into scalars: inout [UInt32]) {
    if code < 0xC0 {
      scalars.append(code)
    } else if Hangul.syllables.contains(code) {
      scalars += Hangul.decomposition(code)
    } else if let parts = decompositions[code] {
      scalars += parts
    } else {
      scalars.append(code)
    }
  }

  /// Sorts each run of combining scalars by class, stably.
  private func reorder(_ scalars: inout [UInt32]) {
    for i in scalars.indices.dropFirst() {
      guard let own = combiningClasses[scalars[i]] else { continue }
      var place = i
      while place > 0, let before = combiningClasses[scalars[place - 1]], before > own {
        scalars.swapAt(place, place - 1)
        place -= 1
      }
    }
  }

  /// Joins each scalar with the last starter before it, unless a scalar of the same or a higher class is between them.
  private func compose(_ scalars: inout [UInt32]) {
    var written = 0
    var starter: Int?
    var lastClass: UInt8 = 0
    for scalar in scalars {
      let own = combiningClasses[scalar] ?? 0
      if let place = starter, written == place + 1 || lastClass < own,
        let joined = joined(scalars[place], scalar)
      {
        scalars[place] = joined
        continue
      }
      if own == 0 { starter = written }
      lastClass = own
      scalars[written] = scalar
      written += 1
    }
    scalars.removeSubrange(written...)
  }

  private func joined(_ first: UInt32, _ second: UInt32) -> UInt32? {
    Hangul.composition(first, second) ?? compositions[UInt64(first) << 32 | UInt64(second)]
  }
}

/// The scalar at the beginning of valid UTF-8, and its length in bytes.
func scalar(_ bytes: UnsafePointer<UInt8>) -> (code: UInt32, length: Int) {
  let first = UInt32(bytes[0])
  func next(_ i: Int) -> UInt32 { UInt32(bytes[i] & 0x3F) }
  if first < 0x80 { return (first, 1) }
  if first < 0xE0 { return ((first & 0x1F) << 6 | next(1), 2) }
  if first < 0xF0 { return ((first & 0x0F) << 12 | next(1) << 6 | next(2), 3) }
  return ((first & 0x07) << 18 | next(1) << 12 | next(2) << 6 | next(3), 4)
}

/// The start of the last scalar before `end` in valid UTF-8.
func scalarStart(_ text: UnsafePointer<UInt8>, before end: Int) -> Int {
  var i = end - 1
  while i > 0 && text[i] & 0xC0 == 0x80 { i -= 1 }
  return i
}

/// Korean syllables, which are computed from their letters.
private enum Hangul {
  static let syllables: Range<UInt32> = 0xAC00..<0xD7A4
  static let initials: Range<UInt32> = 0x1100..<0x1113
  static let vowels: Range<UInt32> = 0x1161..<0x1176
  /// Without the placeholder for no final letter.
  static let finals: Range<UInt32> = 0x11A8..<0x11C3
  private static let finalCount: UInt32 = 28

  static func decomposition(_ code: UInt32) -> [UInt32] {
    let index = code - syllables.lowerBound
    let pair = index / finalCount
    let parts = [initials.lowerBound + pair / 21, vowels.lowerBound + pair % 21]
    return index % finalCount == 0 ? parts : parts + [finals.lowerBound + index % finalCount - 1]
  }

  static func composition(_ first: UInt32, _ second: UInt32) -> UInt32? {
    if initials.contains(first), vowels.contains(second) {
      let pair = (first - initials.lowerBound) * 21 + second - vowels.lowerBound
      return syllables.lowerBound + pair * finalCount
    }
    if syllables.contains(first), (first - syllables.lowerBound) % finalCount == 0, finals.contains(second) {
      return first + second - finals.lowerBound + 1
    }
    return nil
  }
}
