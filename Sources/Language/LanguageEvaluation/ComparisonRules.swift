import Diagnostics
import Statistics

/// How policies are compared: the resamples, and the differences that count as none.
public struct ComparisonRules: Equatable, Sendable {
  /// The largest differences that count as none. They are set before anything is measured.
  public struct Margins: Equatable, Sendable {
    /// Of losses, in nats per token.
    public var loss: Double
    /// Of accuracies, a share of 1.
    public var accuracy: Double
    /// Of expected calibration errors and Brier scores.
    public var calibration: Double

    public init(loss: Double = 0.005, accuracy: Double = 0.01, calibration: Double = 0.01) {
      (self.loss, self.accuracy, self.calibration) = (loss, accuracy, calibration)
    }

    subscript(metric: ComparedMetric) -> Double {
      switch metric {
      case .robustLoss, .crossEntropy: loss
      case .brier, .calibrationError: calibration
      case .accuracy: accuracy
      }
    }
  }

  public var resamples: Int
  public var seed: UInt64
  /// Of all intervals.
  public var confidence: Double
  public var margins: Margins

  public init(resamples: Int, seed: UInt64, confidence: Double = 0.95, margins: Margins = Margins()) {
    (self.resamples, self.seed) = (resamples, seed)
    (self.confidence, self.margins) = (confidence, margins)
  }

  func bootstrap(of clusters: Clusters) -> ClusterBootstrap {
    ClusterBootstrap(clusters: clusters.count, resamples: resamples, seed: seed, confidence: confidence)
  }
}

/// The parts of a text that count as independent: tokens of one part are alike.
public struct TextClusters: Equatable, Sendable {
  public enum Unit: Equatable, Sendable {
    case documents
    /// Contiguous tokens; the last block may be short.
    case blocks(length: Int)
  }

  public let unit: Unit
  public let clusters: Clusters

  /// Whole documents where there are enough of them, otherwise blocks, as for a novel.
  ///
  /// - Parameters:
  ///   - documents: the document of each token.
  ///   - block: tokens per block, where blocks are asked for.
  ///   - dependence: the length over which tokens depend on each other.
  public init(documents: [Int], block: Int?, dependence: Int) {
    let whole = Clusters(labels: documents)
    if block == nil && whole.count >= Clusters.fewestReliable {
      (unit, clusters) = (.documents, whole)
    } else {
      let length = min(
        block ?? Clusters.automaticBlockLength(items: documents.count, dependence: dependence), documents.count)
      (unit, clusters) = (.blocks(length: length), .blocks(of: length, items: documents.count))
    }
  }

  /// `12 documents`.
  var words: String {
    switch unit {
    case .documents: counted(clusters.count, "document")
    case .blocks(let length): "\(counted(clusters.count, "contiguous block")) of \(counted(length, "token"))"
    }
  }
}
