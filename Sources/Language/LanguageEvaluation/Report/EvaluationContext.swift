import Diagnostics
import Pages
import Reports
import Statistics

/// The facts that the report of an evaluation on text needs in addition to its numbers.
public struct EvaluationContext: Sendable {
  /// The families of TempNets that are to be no better tuned than others.
  static let ownFamilies = ["robust", "cross_entropy"].map(tempNetFamily)

  /// The family of TempNets that were fitted with an objective.
  public static func tempNetFamily(_ objective: String) -> String { "TempNet, \(objective)" }

  /// One part of the text: `train`.
  public struct Split: Equatable, Sendable {
    public let name: String
    public let extent: TextExtent

    public init(name: String, extent: TextExtent) {
      self.name = name
      self.extent = extent
    }
  }

  public var origin: ReportContext
  public var splits: [Split]
  /// The name of the policy that the report is about.
  public var leading: String
  /// What was tried of each family of policies on validation tokens, by cross-entropy.
  public var tried: [TriedSettings]
  /// The evaluated model and those that it is compared with.
  public var models: [EvaluatedModel]
  public var passage: Passage?

  public init(
    _ origin: ReportContext, splits: [Split] = [], leading: String, tried: [TriedSettings] = [],
    models: [EvaluatedModel] = [], passage: Passage? = nil
  ) {
    self.origin = origin
    self.splits = splits
    self.leading = leading
    self.tried = tried
    self.models = models
    self.passage = passage
  }

  /// What was tried of each family; without rows where nothing was.
  var triedTable: Table {
    Table(
      "Settings that were tried, by cross-entropy on validation tokens",
      columns: [.text("family"), .text("setting"), .number("cross-entropy"), .text("chosen")],
      rows: tried.flatMap { tried in
        tried.trials.enumerated().map { index, trial in
          [tried.family, trial.setting, fourDigits(trial.score), index == tried.chosen ? "yes" : "no"]
        }
      })
  }

  /// What is wrong with the tuning: no TempNet with the robust loss or the cross-entropy, which this project trains, may be
  /// tuned with more settings than a rival.
  var unequalTuning: String? {
    let own = tried.filter { Self.ownFamilies.contains($0.family) }
    guard let most = own.max(by: { $0.trials.count < $1.trials.count }) else { return nil }
    let less = most.lessTuned(among: tried).map { "\($0.family) (\($0.trials.count))" }
    return less.isEmpty
      ? nil
      : "Unequal tuning: \(most.family) was tuned with \(counted(most.trials.count, "setting")), more than "
        + "\(less.joined(separator: ", ")), so that no verdict in its favour is fair."
  }

  var splitTable: Table {
    Table(
      "Splits",
      columns: [.text("split"), .number("documents"), .number("tokens"), .number("words"), .number("bytes")],
      rows: splits.map { split in
        let extent = split.extent
        return [split.name] + [extent.documents, extent.tokens, extent.words, extent.bytes].map { "\($0)" }
      })
  }
}
