import JSON
import Statistics
import Testing

@testable import LanguageEvaluation

struct MetricsTests {
  let fixture: Fixture
  let metrics: TextMetrics

  init() throws {
    fixture = try Fixture()
    metrics = fixture.metrics()
  }

  @Test func ranksAreThoseOfSciPy() {
    #expect(averageRanks(fixture.scores.policies[2].temperature) == fixture.expected["ranks"]!.doubles)
  }

  @Test func lossesAndPerplexitiesAreThoseOfNumPy() {
    #expect(isClose(metrics.accuracy, fixture.expected["accuracy"]!.doubleValue))
    for (policy, expected) in zip(metrics.policies, fixture.expected["policies"]!.arrayValue!) {
      #expect(isClose(policy.robustLoss, expected["robust_loss"]!.doubleValue))
      #expect(isClose(policy.crossEntropy, expected["cross_entropy"]!.doubleValue))
      #expect(isClose(policy.tokenPerplexity, expected["token_perplexity"]!.doubleValue))
      #expect(isClose(policy.wordPerplexity, expected["word_perplexity"]!.doubleValue))
      #expect(isClose(policy.bytePerplexity, expected["byte_perplexity"]!.doubleValue))
      #expect(isClose(policy.bitsPerByte, expected["bits_per_byte"]!.doubleValue))
    }
  }

  @Test func temperatureStatisticsAreThoseOfNumPy() {
    for (policy, expected) in zip(metrics.policies, fixture.expected["policies"]!.arrayValue!) {
      #expect(isClose(policy.temperature.mean, expected["mean"]!.doubleValue))
      #expect(isClose(policy.temperature.standardDeviation, expected["standard_deviation"]!.doubleValue))
      for (quantile, value) in zip(policy.temperature.quantiles, expected["quantiles"]!.doubles) {
        #expect(isClose(quantile.value, value))
      }
      #expect(isClose(policy.shareAtMinimum, expected["share_at_minimum"]!.doubleValue))
      #expect(isClose(policy.shareAtMaximum, expected["share_at_maximum"]!.doubleValue))
    }
  }

  @Test func correlationsAreThoseOfSciPyAndNilForConstantTemperatures() {
    for (policy, expected) in zip(metrics.policies, fixture.expected["policies"]!.arrayValue!) {
      for (own, name) in [
        (policy.entropyCorrelation, "correlation_with_entropy"), (policy.exactCorrelation!, "correlation_with_exact"),
      ] {
        #expect(isClose(own.pearson, expected[name]!["pearson"]!.doubleValue))
        #expect(isClose(own.spearman, expected[name]!["spearman"]!.doubleValue))
      }
    }
  }

  @Test func `differences and their intervals are those of a computation written apart`() {
    let expected = fixture.expected["differences"]!.arrayValue!
    #expect(metrics.differences.count == expected.count)
    for (own, expected) in zip(metrics.differences, expected) {
      #expect(own.policy == expected["policy"]!.stringValue)
      #expect(own.reference == expected["reference"]!.stringValue)
      #expect(own.metric.rawValue == expected["metric"]!.stringValue)
      let comparison = own.comparison
      #expect(isClose(comparison.estimate, expected["estimate"]!.doubleValue))
      #expect(isClose(comparison.standardError, expected["standard_error"]!.doubleValue))
      for (interval, name) in [
        (comparison.pointwise, "pointwise"), (comparison.narrow, "narrow"), (comparison.simultaneous, "simultaneous"),
      ] {
        let bounds = expected[name]!.doubles
        #expect(isClose(interval.low, bounds[0], tolerance: 1e-6), "\(own.metric) \(name)")
        #expect(isClose(interval.high, bounds[1], tolerance: 1e-6), "\(own.metric) \(name)")
      }
    }
  }

  @Test func `verdicts follow the simultaneous interval, and the margin where it holds zero`() throws {
    func verdict(_ policy: String, _ reference: String, _ metric: ComparedMetric) throws -> Verdict {
      try #require(metrics.difference(policy, minus: reference, in: metric)).verdict
    }
    #expect(try verdict("tempnet", "one", .robustLoss) == .better)
    #expect(try verdict("one", "tempnet", .robustLoss) == .worse)
    #expect(try verdict("best-robust", "one", .crossEntropy) == .equivalent)
    #expect(try verdict("tempnet", "one", .calibrationError) == .undecided)
    #expect(metrics.difference("tempnet", minus: "one", in: .accuracy) == nil)
  }

  @Test func `the accuracy of another model is compared with that of every policy of the evaluated one`() throws {
    var scores = fixture.scores
    var other = scores.policies[0]
    let isCorrect = scores.isCorrect.indices.map { $0 % 2 == 0 }
    (other.name, other.kind) = ("baseline", .baseline)
    other.other = OtherModel(number: 1, entropy: scores.entropy, isCorrect: isCorrect)
    scores.policies.append(other)
    let metrics = fixture.metrics(of: scores)
    let differences = metrics.differences.filter { $0.metric == .accuracy }
    #expect(differences.map(\.policy) == [String](repeating: "baseline", count: 4))
    let share = Double(isCorrect.count { $0 }) / Double(isCorrect.count)
    for difference in differences { #expect(isClose(difference.comparison.estimate, share - metrics.accuracy)) }
  }

  @Test func `many documents are drawn whole, a few are cut into blocks`() {
    let many = (0..<600).map { $0 / 12 }
    #expect(TextClusters(documents: many, block: nil, dependence: 256).unit == .documents)
    #expect(TextClusters(documents: many, block: 12, dependence: 256).unit == .blocks(length: 12))
    let few = many.map { $0 / 2 }
    #expect(TextClusters(documents: few, block: nil, dependence: 256).unit == .blocks(length: 6))
    #expect(TextClusters(documents: [0, 0, 0], block: 100, dependence: 1).clusters.count == 1)
  }

  @Test func `a single block has means without intervals, and no comparisons`() {
    let metrics = fixture.metrics(block: 2000)
    #expect(metrics.differences.isEmpty)
    #expect(metrics.policies.allSatisfy { $0.intervals.isEmpty && $0.gapClosed == nil })
    #expect(isClose(metrics.policies[0].crossEntropy, self.metrics.policies[0].crossEntropy))
  }

  @Test func `the sign of adaptation is that of the rank correlation with the entropy`() {
    #expect(metrics.policies.map(\.adaptation) == [nil, nil, .cools, .cools])
    var scores = fixture.scores
    scores.policies[2].temperature = scores.entropy.map { 1 + $0 / 10 }
    #expect(fixture.metrics(of: scores).policies[2].adaptation == .heats)
  }

  @Test func meansHaveIntervalsOfTheirOwn() {
    for (policy, expected) in zip(metrics.policies, fixture.expected["policies"]!.arrayValue!) {
      for metric in ComparedMetric.means {
        expectClose(policy.intervals[metric]!, expected["intervals"]![metric.rawValue]!)
      }
      // Bits per byte are the same in another unit.
      let unit = policy.bitsPerByte! / policy.crossEntropy
      #expect(
        isClose(policy.bitsPerByteInterval!.low, expected["intervals"]!["cross_entropy"]!["low"]!.doubleValue! * unit))
    }
  }

  @Test func calibrationIsThatOfNumPy() {
    for (policy, expected) in zip(metrics.policies, fixture.expected["policies"]!.arrayValue!) {
      let (own, expected) = (policy.calibration, expected["calibration"]!)
      #expect(own.bins.map(\.count) == expected["counts"]!.arrayValue!.map { $0.intValue! })
      #expect(own.bins.contains { $0.count == 0 && $0.confidence == nil && $0.accuracy == nil })
      for (bin, index) in zip(own.bins, 0...) {
        #expect(isClose(bin.confidence, expected["confidence"]!.arrayValue![index].doubleValue))
        #expect(isClose(bin.accuracy, expected["accuracy"]!.arrayValue![index].doubleValue))
      }
      #expect(isClose(own.expectedError, expected["expected_error"]!.doubleValue))
    }
  }

  @Test func theGapClosedHasAnIntervalOfItsOwn() {
    for (policy, expected) in zip(metrics.policies, fixture.expected["policies"]!.arrayValue!) {
      if expected["gap_closed"]!.isNull {
        #expect(policy.gapClosed == nil)
      } else {
        expectClose(policy.gapClosed!, expected["gap_closed"]!)
      }
    }
  }

  @Test func `an exact optimum for another entropy is a policy like others`() throws {
    var scores = fixture.scores
    var other = scores.policies[0]
    (other.name, other.kind) = ("other", .exact)
    scores.policies.append(other)
    let extended = fixture.metrics(of: scores)
    #expect(extended.policy(.exact)?.name == "exact")
    for (policy, alone) in zip(extended.policies, metrics.policies) {
      #expect(policy.gapClosed == alone.gapClosed)
      #expect(policy.exactCorrelation?.pearson == alone.exactCorrelation?.pearson)
    }
    #expect(extended.policies[4].gapClosed == metrics.policies[0].gapClosed)
  }

  @Test func aDifferenceMayBeAskedForEitherWay() throws {
    let forward = try #require(metrics.difference("tempnet", minus: "one", in: .robustLoss))
    let backward = try #require(metrics.difference("one", minus: "tempnet", in: .robustLoss))
    #expect(backward == forward.negated && forward == backward.negated)
    let (own, opposite) = (forward.comparison.pointwise, backward.comparison.pointwise)
    #expect((opposite.estimate, opposite.low, opposite.high) == (-own.estimate, -own.high, -own.low))
    #expect(metrics.difference("one", minus: "nobody", in: .robustLoss) == nil)
  }

  @Test func textWithoutBytesOrWordsHasNoPerplexityPerByteOrWord() {
    var scores = fixture.scores
    scores.extent.bytes = 0
    scores.extent.words = 0
    let policy = fixture.metrics(of: scores).policies[0]
    #expect(policy.wordPerplexity == nil && policy.bytePerplexity == nil && policy.bitsPerByte == nil)
  }

  private func expectClose(_ interval: Interval, _ expected: JSON) {
    #expect(isClose(interval.estimate, expected["estimate"]!.doubleValue))
    #expect(isClose(interval.low, expected["low"]!.doubleValue))
    #expect(isClose(interval.high, expected["high"]!.doubleValue))
  }
}
