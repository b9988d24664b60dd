/// SplitMix64 (Steele, Lea and Flood, 2014): a small generator whose numbers depend on the seed alone, on every
/// platform and in every version of the standard library.
public struct SplitMix64: RandomNumberGenerator, Sendable {
  private var state: UInt64

  public init(seed: UInt64) { state = seed }

  public mutating func next() -> UInt64 {
    let mixed = Self.mixed(state)
    state &+= Self.increment
    return mixed
  }

  /// An index below `count`: the high half of a 128-bit product, whose bias of at most `count` in 2^64 is negligible.
  public mutating func index(below count: Int) -> Int {
    Int(next().multipliedFullWidth(by: UInt64(count)).high)
  }

  /// The first number of the generator with this seed: a bijection of 64-bit numbers without a visible pattern, which
  /// derives seeds from seeds.
  public static func mixed(_ seed: UInt64) -> UInt64 {
    var mixed = seed &+ increment
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }

  /// A number that depends on a seed and two further numbers, in this order.
  public static func mixed(_ seed: UInt64, _ first: UInt64, _ second: UInt64) -> UInt64 {
    mixed(mixed(mixed(seed) ^ first) ^ second)
  }

  /// 2^64 over the golden ratio, made odd.
  private static let increment: UInt64 = 0x9E37_79B9_7F4A_7C15
}
