import Foundation
import RandomNumbers
import Statistics
import Testing

/// How often intervals hold the truth, by simulation: clusters of one to five items with a shared effect, and four
/// comparisons with one part in common.
@Suite struct CoverageTests {
  private struct Outcome {
    var simultaneous = 0
    var pointwise = 0
    var clustered = 0
  }

  private struct Normals {
    var generator: SplitMix64
    mutating func next() -> Double {
      let (a, b) = (Double(generator.next() >> 11) + 1, Double(generator.next() >> 11))
      return sqrt(-2 * log(a / 0x1p53)) * cos(2 * .pi * b / 0x1p53)
    }
  }

  /// The shares of samples whose intervals hold the truth, which is zero.
  private func coverage(clusters count: Int, samples: Int, resamples: Int) throws -> Outcome {
    var normals = Normals(generator: SplitMix64(seed: UInt64(count)))
    var outcome = Outcome()
    for sample in 0..<samples {
      let labels = (0..<count).flatMap { [Int](repeating: $0, count: 1 + normals.generator.index(below: 5)) }
      let clusters = Clusters(labels: labels)
      let common = (0..<count).map { _ in normals.next() }
      let differences = (0..<4).map { _ in
        let own = (0..<count).map { _ in normals.next() }
        return ClusteredMean(labels.map { common[$0] + own[$0] + 0.5 * normals.next() }, in: clusters)
      }
      let intervals = try #require(
        SimultaneousIntervals(
          differences, bootstrap: ClusterBootstrap(clusters: count, resamples: resamples, seed: UInt64(sample))))
      if intervals.comparisons.allSatisfy({ !$0.simultaneous.excludesZero }) { outcome.simultaneous += 1 }
      if !intervals.comparisons[0].pointwise.excludesZero { outcome.pointwise += 1 }
      if !(try #require(differences[0].interval())).excludesZero { outcome.clustered += 1 }
    }
    return outcome
  }

  /// In percent of the samples.
  private func check(_ outcome: Outcome, samples: Int, within points: Double) {
    for (name, covered) in [
      ("simultaneous", outcome.simultaneous), ("pointwise", outcome.pointwise), ("clustered t", outcome.clustered),
    ] {
      let percent = Double(covered) / Double(samples) * 100
      #expect(abs(percent - 95) <= points, "\(name): \(percent) % of \(samples) samples")
    }
  }

  @Test func `95 % intervals of 50 clusters hold the truth in 93 to 97 % of samples`() throws {
    check(try coverage(clusters: 50, samples: 2000, resamples: 600), samples: 2000, within: 2)
  }

  @Test func `95 % intervals of 500 clusters hold the truth in 93 to 97 % of samples`() throws {
    check(try coverage(clusters: 500, samples: 400, resamples: 300), samples: 400, within: 2)
  }

  @Test func `intervals of 10 clusters hold the truth less often, but in nine of ten samples`() throws {
    check(try coverage(clusters: 10, samples: 1000, resamples: 400), samples: 1000, within: 5)
  }
}
