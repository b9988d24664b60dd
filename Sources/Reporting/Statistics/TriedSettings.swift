/// The settings of one family of policies or losses that were tried on validation data, and the one that was chosen.
///
/// A comparison is fair only if the rivals were tuned at least as much as what is to be shown better than they are.
public struct TriedSettings: Equatable, Sendable {
  public struct Trial: Equatable, Sendable {
    public let setting: String
    /// On validation data, by the metric of the choice.
    public let score: Double

    public init(_ setting: String, score: Double) { (self.setting, self.score) = (setting, score) }
  }

  public let family: String
  public let trials: [Trial]
  public let isMoreBetter: Bool

  /// - Parameter trials: at least one.
  public init(_ family: String, trials: [Trial], isMoreBetter: Bool) {
    precondition(!trials.isEmpty, "\(family): nothing was tried")
    (self.family, self.trials, self.isMoreBetter) = (family, trials, isMoreBetter)
  }

  /// The index of the best trial, the first of equal ones.
  public var chosen: Int {
    var best = 0
    for index in trials.indices
    where isMoreBetter ? trials[index].score > trials[best].score : trials[index].score < trials[best].score {
      best = index
    }
    return best
  }

  /// The rivals that were tuned with fewer settings.
  public func lessTuned(among rivals: [TriedSettings]) -> [TriedSettings] {
    rivals.filter { $0.trials.count < trials.count }
  }
}
