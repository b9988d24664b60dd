import Foundation
import RandomNumbers
import Statistics
import Testing

struct StatisticsTests {
  @Test func randomNumbersAreThePublishedOnes() {
    // The first outputs for seed 1234567, as listed with the reference implementation's test vectors.
    var generator = SplitMix64(seed: 1_234_567)
    #expect(
      (0..<3).map { _ in generator.next() } == [
        6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423,
      ])
  }

  @Test func indicesCoverTheirRangeEvenly() {
    var generator = SplitMix64(seed: 3)
    var counts = [Int](repeating: 0, count: 7)
    for _ in 0..<70_000 { counts[generator.index(below: 7)] += 1 }
    #expect(counts.allSatisfy { abs($0 - 10_000) < 400 })
  }

  @Test func equalValuesShareTheMeanOfTheirRanks() throws {
    #expect(averageRanks([3, 1, 3, 2, 3]) == [4, 1, 4, 2, 4])
    #expect(averageRanks([]) == [])
  }

  @Test func aSingleNumberIsItsOwnDistribution() {
    let distribution = Distribution(of: [2.5])
    #expect(distribution.mean == 2.5 && distribution.standardDeviation == 0)
    #expect(distribution.quantiles.allSatisfy { $0.value == 2.5 })
  }

  @Test func constantsOfAnySizeHaveNoCorrelation() {
    let noise = (0..<100).map { Float($0 * 7919 % 31) }
    let correlation = Correlation(of: [Float](repeating: 0.1, count: 100), and: noise)
    #expect(correlation.pearson == nil && correlation.spearman == nil)
  }

  @Test(arguments: [(1, 256, 1), (50, 256, 1), (5_000, 256, 50), (100_000, 256, 256), (10_000_000, 256, 5_000)])
  func automaticBlocksFollowTheContextUnlessTheyWouldBeTooFewOrTooMany(tokens: Int, context: Int, length: Int) {
    #expect(Clusters.automaticBlockLength(items: tokens, dependence: context) == length)
  }

  @Test func anIntervalCoversTheTruthAboutAsOftenAsItSays() throws {
    // Tokens that come in runs of 20 equal values: drawing single tokens would make the interval far too narrow.
    var generator = SplitMix64(seed: 11)
    func normal() -> Double {
      let (a, b) = (Double(generator.next() >> 11) + 1, Double(generator.next() >> 11))
      return sqrt(-2 * log(a / 0x1p53)) * cos(2 * .pi * b / 0x1p53)
    }
    var covered = 0
    for _ in 0..<200 {
      let values = (0..<100).flatMap { _ in [Double](repeating: normal(), count: 20) }
      let mean = ClusteredMean(values, in: .blocks(of: 40, items: values.count))
      let interval = try #require(mean.interval())
      if !interval.excludesZero { covered += 1 }
    }
    #expect((176...199).contains(covered), "\(covered) of 200")
  }

  @Test func tenThousandResamplesOfEightPoliciesTakeLessThanTwoSeconds() {
    let bootstrap = ClusterBootstrap(clusters: 391)
    let values = (0..<16).map { policy in (0..<391).map { Double(($0 &* 2_654_435_761 &+ policy) % 1000) } }
    let time = ContinuousClock().measure { _ = bootstrap.resampledSums(of: values) }
    #if !DEBUG
      #expect(time < .seconds(2))
    #else
      #expect(time < .seconds(60))
    #endif
  }

  @Test func `contributions to a calibration error have it as their mean`() {
    let confidence = (0..<300).map { Float($0 % 97) / 97 }
    let isCorrect = (0..<300).map { $0 * 31 % 7 < 3 }
    let calibration = Calibration(confidence: confidence, isCorrect: isCorrect)
    let parts = calibration.contributions(confidence: confidence, isCorrect: isCorrect)
    #expect(abs(parts.reduce(0, +) / 300 - calibration.expectedError) < 1e-12)
  }
}
