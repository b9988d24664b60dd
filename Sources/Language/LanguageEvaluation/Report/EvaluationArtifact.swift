import Artifacts
import Diagnostics
import Files
import JSON
import Reports

/// An `evaluation` artifact, read for its figures; ``MetricsFile`` writes them.
public struct EvaluationArtifact: Sendable {
  /// One policy on the test split.
  public struct Policy: Sendable {
    public let name: String
    public let title: String
    /// Mean over tokens, in nats.
    public let robustLoss: Double
    /// Per token.
    public let perplexity: Double
    /// Nil for a text without bytes.
    public let bitsPerByte: Double?
    public let meanTemperature: Double
  }

  public let artifact: Artifact
  /// `metrics.json` as it is.
  public let file: JSON
  /// Of the test split.
  public let tokens: Int
  public let policies: [Policy]
  public let sources: [ReportContext.Source]

  /// - Throws: `.badData` that names the file and the member at fault.
  public init(_ artifact: Artifact) throws {
    let path = try artifact.file(MetricsFile.name)
    let file = try JSON(parsing: try Files.read(path), source: path, for: .strict)
    func failure(_ member: String) -> Failure { Failure(.badData, "has no usable member '\(member)'", at: path) }
    guard let version = file["schema_version"]?.intValue else { throw failure("schema_version") }
    guard version == MetricsFile.schemaVersion else {
      throw Failure(
        .badData, "schema version \(version) is unknown; this program reads \(MetricsFile.schemaVersion)", at: path)
    }
    guard let tokens = file["text"]?["tokens"]?.intValue else { throw failure("text.tokens") }
    guard let policies = file["policies"]?.arrayValue else { throw failure("policies") }
    self.artifact = artifact
    self.file = file
    self.tokens = tokens
    self.policies = try policies.map { policy in
      guard let name = policy["name"]?.stringValue, let title = policy["title"]?.stringValue,
        let robustLoss = policy["robust_loss"]?.doubleValue, let perplexity = policy["token_perplexity"]?.doubleValue,
        let mean = policy["temperature"]?["mean"]?.doubleValue
      else { throw failure("policies") }
      return Policy(
        name: name, title: title, robustLoss: robustLoss, perplexity: perplexity,
        bitsPerByte: policy["bits_per_byte"]?.doubleValue, meanTemperature: mean)
    }
    sources = (file["sources"]?.arrayValue ?? []).map(ReportContext.Source.init)
  }

  /// The single temperature with the least cross-entropy, or robust loss, on the validation split.
  public var bestTemperature: Double? { meanTemperature(PolicyName.best) }
  public var bestRobustTemperature: Double? { meanTemperature(PolicyName.bestRobust) }

  private func meanTemperature(_ name: String) -> Double? { policies.first { $0.name == name }?.meanTemperature }

  /// Makes sure that the evaluation measured a given TempNet.
  ///
  /// - Throws: `.badData` where that TempNet is not among its inputs.
  public func check(measures tempnet: Artifact) throws {
    guard artifact.manifest.inputs.contains(where: { $0.key == tempnet.key }) else {
      throw Failure(
        .badData, "the evaluation did not measure the TempNet \(tempnet.path) (key \(tempnet.key))", at: artifact.path)
    }
  }
}
