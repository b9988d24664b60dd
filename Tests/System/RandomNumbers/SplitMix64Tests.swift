import RandomNumbers
import Testing

@Suite struct SplitMix64Tests {
  /// The first numbers of Vigna's splitmix64.c (https://prng.di.unimi.it/splitmix64.c) for the seed 1234567.
  private static let reference: [UInt64] = [
    6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423, 4_593_380_528_125_082_431,
    16_408_922_859_458_223_821,
  ]

  @Test func `gives the numbers of the published generator`() {
    var generator = SplitMix64(seed: 1_234_567)
    #expect(Self.reference.map { _ in generator.next() } == Self.reference)
    #expect(SplitMix64.mixed(1_234_567) == Self.reference[0])
  }

  /// Computed by scripts/peers/data.py: `mixed(mixed(mixed(7) ^ 3) ^ 11)` and the like.
  @Test func `a seed is mixed with two numbers in their order`() {
    #expect(SplitMix64.mixed(7, 3, 11) == 8_055_240_834_621_979_715)
    #expect(SplitMix64.mixed(7, 11, 3) == 8_548_497_205_895_631_766)
  }

  @Test func `indices stay below their count and reach all of it`() {
    var generator = SplitMix64(seed: 1)
    #expect(Set((0..<1000).map { _ in generator.index(below: 7) }) == Set(0..<7))
  }
}
