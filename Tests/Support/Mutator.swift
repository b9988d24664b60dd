import RandomNumbers

/// Makes damaged files from sound ones; equal for equal seeds.
public struct Mutator: Sendable {
  private let samples: [[UInt8]]
  private var random: SplitMix64

  /// Numbers at which counters overflow, allocations fail and signs change.
  private static let numbers = [
    "0", "-1", "1", "2147483647", "2147483648", "4294967296", "9007199254740993", "4611686018427387904",
    "9223372036854775807", "-9223372036854775808", "9223372036854775808", "18446744073709551615", "1e308", "1e999",
    "-0.0",
    "1e-400", "00", "0x10", "nan", "1000000",
  ]
  private static let words = [
    "\"", "{", "}", "[", "]", ":", ",", "\\", "\\u0000", "\\ud800", "\n", " ", "null", "true", "[]", "{}", "&a ", "*a",
    "<<: ", "- ", "|", ">", "---\n", "#", "!!binary ", "%", "../", "/", "\0", "\u{FEFF}", "é", "e\u{301}",
  ]

  /// - Parameter samples: sound files of one kind; parts of one may replace parts of another.
  public init(_ samples: [[UInt8]], seed: UInt64) {
    precondition(!samples.isEmpty)
    self.samples = samples
    random = SplitMix64(seed: seed)
  }

  /// A sample with one to four kinds of damage.
  public mutating func next() -> [UInt8] {
    var bytes = samples.randomElement(using: &random)!
    for _ in 0..<Int.random(in: 1...4, using: &random) { damage(&bytes) }
    return bytes
  }

  private mutating func damage(_ bytes: inout [UInt8]) {
    guard !bytes.isEmpty else {
      bytes = [UInt8.random(in: 0...255, using: &random)]
      return
    }
    let place = Int.random(in: 0..<bytes.count, using: &random)
    switch Int.random(in: 0..<12, using: &random) {
    case 0, 1: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
    case 2:
      bytes[place] = [0, 1, 0x7F, 0x80, 0xFF, UInt8.random(in: 0...255, using: &random)].randomElement(using: &random)!
    case 3: bytes.removeSubrange(place...)
    case 4: bytes.removeSubrange(part(of: bytes, from: place))
    case 5: bytes.insert(contentsOf: bytes[part(of: bytes, from: place)], at: place)
    case 6:
      let other = samples.randomElement(using: &random)!
      guard !other.isEmpty else { return }
      let start = Int.random(in: 0..<other.count, using: &random)
      bytes.replaceSubrange(part(of: bytes, from: place), with: other[part(of: other, from: start)])
    case 7: bytes.insert(contentsOf: Array(Self.words.randomElement(using: &random)!.utf8), at: place)
    case 8, 9: editNumber(&bytes, near: place)
    case 10: editInteger(&bytes, at: place)
    default:
      let count = 1 << Int.random(in: 0...9, using: &random)
      let byte = [UInt8(ascii: "["), UInt8(ascii: "{"), UInt8(ascii: "9"), bytes[place]].randomElement(using: &random)!
      bytes.insert(contentsOf: repeatElement(byte, count: count), at: place)
    }
  }

  private mutating func part(of bytes: [UInt8], from place: Int) -> Range<Int> {
    place..<min(bytes.count, place + Int.random(in: 1...64, using: &random))
  }

  /// Replaces the next number in digits.
  private mutating func editNumber(_ bytes: inout [UInt8], near place: Int) {
    func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
    guard let start = bytes[place...].firstIndex(where: isDigit) else { return }
    let end = bytes[start...].firstIndex { !isDigit($0) } ?? bytes.count
    bytes.replaceSubrange(start..<end, with: Array(Self.numbers.randomElement(using: &random)!.utf8))
  }

  /// Replaces a little-endian integer of two, four or eight bytes.
  private mutating func editInteger(_ bytes: inout [UInt8], at place: Int) {
    let width = [2, 4, 8].randomElement(using: &random)!
    let start = place / width * width
    guard start + width <= bytes.count else { return }
    let value: UInt64 = [
      0, 1, UInt64(bytes.count), 0x7FFF, 0x8000, 0xFFFF, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF, 1 << 32, 1 << 62,
      .max / 2,
      .max / 2 + 1, .max - 7, .max,
    ].randomElement(using: &random)!
    for index in 0..<width { bytes[start + index] = UInt8(truncatingIfNeeded: value >> UInt64(8 * index)) }
  }
}
