import EncoderDescriptions
import JSON
import Pairs
import Statistics

/// One model's embeddings and what was measured on them, split by split.
public struct RetrievalRun: Sendable {
  /// What was measured on one split.
  public struct Result: Sendable {
    public let metrics: RetrievalMetrics
    /// Nil without classes.
    public let zeroShot: ZeroShot?
    /// For each direction the probabilities at several temperatures.
    public let probabilities: [Probabilities]

    public init(metrics: RetrievalMetrics, zeroShot: ZeroShot?, probabilities: [Probabilities]) {
      (self.metrics, self.zeroShot, self.probabilities) = (metrics, zeroShot, probabilities)
    }
  }

  /// One direction's probabilities of the queries' own candidates by one policy of temperatures.
  public struct Probabilities: Sendable {
    public let direction: RetrievalDirection
    /// `model`, `best`, or the name of a TempNet.
    public let policy: String
    /// The mean over queries, in units of similarity: 1 / scale is the model's own.
    public let meanTemperature: Double
    public let likelihood: OwnLikelihood

    public init(direction: RetrievalDirection, policy: String, meanTemperature: Double, likelihood: OwnLikelihood) {
      (self.direction, self.policy) = (direction, policy)
      (self.meanTemperature, self.likelihood) = (meanTemperature, likelihood)
    }
  }

  public let name: RunName
  /// The key of the embeddings.
  public let key: String
  public let scale: LogitScale
  /// By split.
  public let results: [PairSplit: Result]

  public init(name: RunName, key: String, scale: LogitScale, results: [PairSplit: Result]) {
    (self.name, self.key, self.scale, self.results) = (name, key, scale, results)
  }
}
