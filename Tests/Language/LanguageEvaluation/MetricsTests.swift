import JSON
import LanguageEvaluation
import Statistics
import Testing

struct MetricsTests {
  let fixture: Fixture
  let metrics: TextMetrics

  init() throws {
    fixture = try Fixture()
    metrics = TextMetrics(fixture.scores, bootstrap: fixture.bootstrap)
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
      #expect(isClose(policy.bitsPerByte?.estimate, expected["bits_per_byte"]!.doubleValue))
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

  @Test func intervalsAreThoseOfAnIndependentBootstrap() {
    let expected = fixture.expected["differences"]!.arrayValue!
    #expect(metrics.differences.count == expected.count)
    for (own, expected) in zip(metrics.differences, expected) {
      #expect(own.policy == expected["policy"]!.stringValue)
      #expect(own.reference == expected["reference"]!.stringValue)
      #expect(own.metric.rawValue == expected["metric"]!.stringValue)
      expectClose(own.interval, expected)
    }
  }

  @Test func meansHaveIntervalsOfTheirOwn() {
    for (policy, expected) in zip(metrics.policies, fixture.expected["policies"]!.arrayValue!) {
      for metric in ComparedMetric.allCases {
        expectClose(policy.intervals[metric]!, expected["intervals"]![metric.rawValue]!)
      }
      // Bits per byte are the same in another unit.
      let unit = policy.bitsPerByte!.estimate / policy.crossEntropy
      #expect(isClose(policy.bitsPerByte!.low, expected["intervals"]!["cross_entropy"]!["low"]!.doubleValue! * unit))
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
    let extended = TextMetrics(scores, bootstrap: fixture.bootstrap)
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
    #expect((backward.estimate, backward.low, backward.high) == (-forward.estimate, -forward.high, -forward.low))
    #expect(metrics.difference("one", minus: "nobody", in: .robustLoss) == nil)
  }

  @Test func textWithoutBytesOrWordsHasNoPerplexityPerByteOrWord() {
    var scores = fixture.scores
    scores.extent.bytes = 0
    scores.extent.words = 0
    let policy = TextMetrics(scores, bootstrap: fixture.bootstrap).policies[0]
    #expect(policy.wordPerplexity == nil && policy.bytePerplexity == nil && policy.bitsPerByte == nil)
  }

  private func expectClose(_ interval: Interval, _ expected: JSON) {
    #expect(isClose(interval.estimate, expected["estimate"]!.doubleValue))
    #expect(isClose(interval.low, expected["low"]!.doubleValue))
    #expect(isClose(interval.high, expected["high"]!.doubleValue))
  }
}
