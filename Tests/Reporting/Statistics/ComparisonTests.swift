import Statistics
import Testing

@Suite struct ComparisonTests {
  private let numbers: ReferenceNumbers
  init() throws { numbers = try ReferenceNumbers() }

  @Test func `standard errors and t intervals of clusters are those of statsmodels`() throws {
    let fixture = try numbers["clustered"]
    let mean = ClusteredMean(try fixture.numbers("values"), in: Clusters(labels: try fixture.integers("labels")))
    let interval = try #require(mean.interval())
    #expect(agree(mean.estimate, try fixture.number("mean"), within: 1e-12))
    #expect(agree(try #require(mean.standardError), try fixture.number("standard_error"), within: 1e-10))
    #expect(agree(interval.low, try fixture.number("low"), within: 1e-9))
    #expect(agree(interval.high, try fixture.number("high"), within: 1e-9))
    #expect(agree(try #require(mean.pValue), try fixture.number("p"), within: 1e-8))
  }

  @Test func `paired t intervals over seeds are scipy's`() throws {
    let fixture = try numbers["seeds"]
    let seeds = SeedDifferences(try fixture.numbers("differences"))
    let interval = try #require(seeds.interval())
    #expect(agree(interval.estimate, try fixture.number("mean"), within: 1e-12))
    #expect(agree(interval.low, try fixture.number("low"), within: 1e-9))
    #expect(agree(interval.high, try fixture.number("high"), within: 1e-9))
  }

  @Test func `two seeds give no interval`() {
    #expect(SeedDifferences([1, 2]).interval() == nil)
    #expect(SeedDifferences([1, 2]).estimate == 1.5)
    #expect(SeedDifferences([]).estimate == nil && SeedDifferences([1]).standardError == nil)
  }

  @Test func `McNemar's exact probabilities are those of statsmodels`() throws {
    for row in try numbers.rows("mcnemar") {
      let test = McNemar(items: Int(row[0]), gained: Int(row[1]), lost: Int(row[2]))
      #expect(agree(test.pValue, row[3], within: 1e-10), "\(row): \(test.pValue)")
    }
  }

  @Test func `McNemar's standard error is that of the paired differences`() throws {
    let policy = [true, true, false, true, false, true, false, true]
    let reference = [true, false, false, false, true, true, false, false]
    let test = McNemar(policy: policy, reference: reference)
    #expect(test.gained == 3 && test.lost == 1 && test.difference == 0.25)
    let differences = zip(policy, reference).map { Double(($0 ? 1 : 0) - ($1 ? 1 : 0)) }
    let mean = ClusteredMean(differences, in: .single(items: 8))
    // One has n in the denominator of the variance, the other n - 1.
    #expect(agree(test.standardError, try #require(mean.standardError) * (7.0 / 8).squareRoot(), within: 1e-12))
  }

  @Test func `simultaneous intervals are those of a computation written apart, on the same draws`() throws {
    let fixture = try numbers["simultaneous"]
    let (first, second) = (try fixture.integers("first"), try fixture.integers("second"))
    let clusters = Clusters(labels: first + second)
    let bootstrap = ClusterBootstrap(
      clusters: clusters.count, resamples: try fixture.integer("resamples"), seed: UInt64(try fixture.integer("seed")))
    let x = ClusteredMean(try fixture.numbers("x"), of: Array(first.indices), in: clusters)
    let y = ClusteredMean(try fixture.numbers("y"), of: second.indices.map { first.count + $0 }, in: clusters)
    let intervals = try #require(
      SimultaneousIntervals([x, y, ClusteredMean(averaging: [x, y])], bootstrap: bootstrap))
    let errors = try fixture.numbers("standard_errors")
    #expect(agree(intervals.criticalValue, try fixture.number("critical"), within: 1e-6))
    for (index, comparison) in intervals.comparisons.enumerated() {
      let (estimate, error) = (try fixture.numbers("estimates")[index], errors[index])
      // The fixture's errors are numerical derivatives.
      #expect(agree(comparison.standardError, error, within: 1e-6))
      #expect(agree(comparison.estimate, estimate, within: 1e-12))
      let simultaneous = estimate + (try fixture.number("critical")) * error
      #expect(agree(comparison.simultaneous.high, simultaneous, within: 1e-6))
      let pointwise = estimate - (try fixture.numbers("pointwise")[index]) * error
      #expect(abs(comparison.pointwise.low - pointwise) < 1e-6)
      let narrow = estimate - (try fixture.numbers("narrow")[index]) * error
      #expect(abs(comparison.narrow.low - narrow) < 1e-6)
    }
  }

  @Test func `a single cluster says nothing`() {
    let mean = ClusteredMean([1, 2, 3], in: Clusters(labels: [4, 4, 4]))
    #expect(mean.standardError == nil && mean.interval() == nil && mean.pValue == nil)
    #expect(SimultaneousIntervals([mean], bootstrap: ClusterBootstrap(clusters: 1)) == nil)
  }

  @Test func `policies that never differ have a difference of exactly zero`() throws {
    let clusters = Clusters(labels: (0..<60).map { $0 / 3 })
    let hits = (0..<60).map { Double($0 * 7 % 3 == 0 ? 1 : 0) }
    let other = (0..<60).map { Double($0 * 5 % 4 == 0 ? 1 : 0) }
    let mean = ClusteredMean(hits, in: clusters)
    let intervals = try #require(
      SimultaneousIntervals(
        [mean - mean, ClusteredMean(other, in: clusters) - mean],
        bootstrap: ClusterBootstrap(clusters: clusters.count, resamples: 500)))
    #expect(intervals.comparisons[0].simultaneous == Interval(estimate: 0, low: 0, high: 0))
    #expect(intervals.comparisons[0].standardError == 0)
    #expect(intervals.comparisons[1].simultaneous.high.isFinite)
  }

  @Test func `more comparisons widen intervals, the same one twice does not`() throws {
    let clusters = Clusters.single(items: 200)
    func column(_ step: Int) -> ClusteredMean {
      ClusteredMean((0..<200).map { Double(($0 * step + 13) % 101) }, in: clusters)
    }
    let bootstrap = ClusterBootstrap(clusters: 200, resamples: 2000)
    func critical(_ columns: [ClusteredMean]) throws -> Double {
      try #require(SimultaneousIntervals(columns, bootstrap: bootstrap)).criticalValue
    }
    let one = try critical([column(37)])
    #expect(try critical([column(37), column(37)]) == one)
    #expect(try critical([37, 11, 53, 71, 29].map(column)) > one + 0.2)
    #expect(abs(one - 1.97) < 0.12)
  }

  @Test func `the smallest detectable difference is 2.80 standard errors`() throws {
    #expect(agree(smallestDetectableDifference(standardError: 1), try numbers.number("detectable"), within: 1e-10))
    #expect(abs(smallestDetectableDifference(standardError: 0.5) - 1.40) < 0.01)
  }
}
