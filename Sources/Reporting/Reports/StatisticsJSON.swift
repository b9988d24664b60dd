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

extension BlockBootstrap {
  public var json: JSON {
    [
      "method": "percentile interval of the paired, non-overlapping block bootstrap over contiguous tokens",
      "confidence": .number(confidence), "resamples": .integer(resamples), "block_length": .integer(blockLength),
      "blocks": .integer(blockCount), "seed": .integer(Int(bitPattern: UInt(seed))),
    ]
  }
}
