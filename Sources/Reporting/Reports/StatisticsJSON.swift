import JSON
import Statistics

/// Statistics as members of metrics files; `Artifacts/FORMAT.md` documents them.
extension Interval {
  public var json: JSON { .object(JSONObject(members)) }

  /// The members of a difference: the estimate, its interval, and whether that excludes zero.
  public var differenceMembers: [(String, JSON)] { members + [("excludes_zero", .bool(excludesZero))] }

  private var members: [(String, JSON)] {
    [("estimate", .number(estimate)), ("low", .number(low)), ("high", .number(high))]
  }
}

extension Calibration {
  /// - Parameter unit: what is counted in each bin: `tokens`.
  public func json(counting unit: String) -> JSON {
    [
      "expected_error": .number(expectedError),
      "bins": .array(
        bins.map { bin in
          [
            "from": .number(bin.range.lowerBound), "to": .number(bin.range.upperBound), unit: .integer(bin.count),
            "confidence": .number(orNull: bin.confidence), "accuracy": .number(orNull: bin.accuracy),
          ]
        }),
    ]
  }
}

extension Distribution {
  public var json: JSON {
    [
      "mean": .number(mean), "standard_deviation": .number(standardDeviation),
      "quantiles": .array(quantiles.map { ["fraction": .number($0.fraction), "value": .number($0.value)] }),
    ]
  }
}

extension Correlation {
  public var json: JSON { ["pearson": .number(orNull: pearson), "spearman": .number(orNull: spearman)] }
}

extension SimultaneousIntervals.Comparison {
  /// The members of a comparison: the estimate, its intervals, alone and together with the others, and what could be seen.
  public func members(_ verdict: Verdict) -> [(String, JSON)] {
    func range(_ interval: Interval) -> JSON { ["low": .number(interval.low), "high": .number(interval.high)] }
    return pointwise.differenceMembers + [
      ("standard_error", .number(standardError)), ("narrow", range(narrow)), ("simultaneous", range(simultaneous)),
      ("smallest_detectable", .number(smallestDetectable)), ("verdict", .string(verdict.rawValue)),
    ]
  }
}
