import Diagnostics
import JSON
import Pages
import Pairs
import Reports
import Statistics

/// Everything that a report on retrieval states.
public struct RetrievalReport: Sendable {
  public static let name = "report.html"

  public let study: RetrievalStudy
  public let settings: ComparisonSettings
  public let comparisons: [RetrievalComparison]
  public let temperatures: [TemperatureStudy]
  /// What some queries of the leading run found, split by split.
  public let examples: [NeighbourExamples]
  public let gallery: Gallery
  /// Tests that the pairs were to hold and have no picture of.
  public let missingTests: [PairSplit]
  public let context: ReportContext

  public init(
    _ study: RetrievalStudy, _ settings: ComparisonSettings, temperatures: [TemperatureStudy] = [],
    examples: [NeighbourExamples] = [], gallery: Gallery, missingTests: [PairSplit] = [], context: ReportContext
  ) {
    self.study = study
    self.settings = settings
    comparisons = study.comparisons(settings)
    self.temperatures = temperatures
    self.examples = examples
    self.gallery = gallery
    self.missingTests = missingTests
    self.context = context
  }

  /// Comparisons by mean recall, which sentences and charts are about.
  var headComparisons: [RetrievalComparison] { comparisons.filter { $0.metric == .meanRecall } }

  /// What the report says first: the best rival of CLIP by validation, on every test split.
  public var headline: String {
    guard let leading = study.leadingRival, let reference = study.references.first else {
      return "Retrieval of \(counted(study.runs.count, "model")): there is no pair of losses to compare."
    }
    let own = headComparisons.filter { $0.arm == leading.name && $0.reference == reference.name }
    let parts = own.map { comparison in
      "\(Self.points(comparison.overSeeds.estimate ?? 0)) on \(comparison.split.name) (\(Self.verdict(comparison)))"
    }
    return "Mean recall of \(leading.name), the best loss by validation beside CLIP, less that of \(reference.name): "
      + (parts.isEmpty ? "not measured" : parts.joined(separator: ", ")) + "."
  }

  /// One sentence per comparison by mean recall.
  public var findings: [String] {
    headComparisons.map { comparison in
      let seeds = comparison.overSeeds
      let range =
        comparison.intervalOverSeeds.map { interval in
          "; \(wholePercent(settings.confidence)) t interval over \(seeds.differences.count) seeds \(Self.range(interval))"
        } ?? ""
      return "On \(comparison.split.name), \(comparison.arm) less \(comparison.reference): "
        + "\(Self.points(seeds.estimate ?? 0)) of mean recall\(range); \(Self.verdict(comparison))."
    }
  }

  /// `better in each of 3 seeds`.
  static func verdict(_ comparison: RetrievalComparison) -> String {
    guard comparison.isTuningFair else { return "no verdict: \(comparison.reference) was tuned with fewer settings" }
    let seeds = comparison.seeds
    if comparison.verdict != .undecided {
      return seeds.count == 1
        ? comparison.verdict.rawValue : "\(comparison.verdict.rawValue) in each of \(seeds.count) seeds"
    }
    let parts = Verdict.allCases.compactMap { verdict -> String? in
      let count = seeds.count { $0.verdict == verdict }
      return count == 0 ? nil : "\(verdict.rawValue) in \(count)"
    }
    return seeds.count == 1
      ? Verdict.undecided.rawValue : "undecided: of \(seeds.count) seeds \(parts.joined(separator: ", "))"
  }

  /// A difference of shares in points of a hundred, with its sign.
  static func points(_ share: Double) -> String { signedPoints(share) + " points" }

  /// The same without the word.
  static func signedPoints(_ share: Double) -> String {
    let text = plainPoints(share)
    return (share > 0 && text != "0.0" ? "+" : "") + text
  }

  static func range(_ interval: Interval) -> String {
    "\(plainPoints(interval.low)) to \(plainPoints(interval.high))"
  }

  /// Zero has no sign, from either side.
  private static func plainPoints(_ share: Double) -> String {
    let text = fixed(share * 100, digits: 1)
    return text == "-0.0" ? "0.0" : text
  }

  /// Says which tests the pairs lack; nil where they lack none.
  var missingNote: String? {
    missingTests.isEmpty
      ? nil
      : "Not measured, because the pairs hold no picture for it: \(missingTests.map(\.name).joined(separator: ", "))."
  }
}

extension RetrievalStudy {
  /// The chosen arm with the best mean recall on validation that is no reference.
  var leadingRival: Arm? { best(chosen.filter { arm in !references.contains { $0.name == arm.name } }) }

  /// The arm that neighbours and temperatures are shown of.
  public var leading: Arm { leadingRival ?? best(chosen) ?? arms[0] }

  /// The first of the best.
  private func best(_ arms: [Arm]) -> Arm? {
    var best: (arm: Arm, score: Double)?
    for arm in arms {
      let score = tried.lazy.flatMap(\.trials).first { $0.setting == arm.name }?.score ?? 0
      if best.map({ score > $0.score }) ?? true { best = (arm, score) }
    }
    return best?.arm
  }
}
