import JSON

/// The figures of an evaluation that lists of many evaluations show. The summary of an `evaluation` artifact's manifest
/// holds them.
public struct EvaluationSummary: Equatable, Sendable {
  /// One policy on the test split; nil for figures that do not exist, or that earlier releases did not state.
  public struct Policy: Equatable, Sendable {
    public let name: String
    /// Mean over tokens, in nats.
    public let robustLoss: Double?
    public let tokenPerplexity: Double?
    public let bitsPerByte: Double?
    public let meanTemperature: Double?
    /// A share of 1; nil also where the gap is negligible.
    public let gapClosed: Double?
    public let brier: Double?
    /// A share of 1.
    public let expectedCalibrationError: Double?
  }

  /// Of the test split.
  public let tokens: Int?
  /// The first one is the reference at temperature 1.
  public let policies: [Policy]
  /// The policy that the evaluation is about.
  public let leading: Policy?

  fileprivate enum Member {
    static let tokens = "tokens"
    static let leading = "leading"
    static let policies = "policies"
    static let name = "name"
    static let robustLoss = "robustLoss"
    static let tokenPerplexity = "tokenPerplexity"
    static let bitsPerByte = "bitsPerByte"
    static let meanTemperature = "meanTemperature"
    static let gapClosed = "gapClosed"
    static let brier = "brier"
    static let expectedCalibrationError = "expectedCalibrationError"
  }

  /// Reads a manifest's summary. Members that are missing are nil.
  public init(_ summary: JSON) {
    tokens = summary[Member.tokens]?.intValue
    let policies = (summary[Member.policies]?.arrayValue ?? []).compactMap(Policy.init)
    self.policies = policies
    func policy(_ name: String) -> Policy? { policies.first { $0.name == name } }
    // Earlier releases did not name the leading policy.
    leading = (summary[Member.leading]?.stringValue).flatMap(policy) ?? policy("tempnet") ?? policy("model")
  }

  /// The members of the summary, in the manifest's order.
  static func members(_ metrics: TextMetrics, leading: String) -> JSON {
    [
      "rho": .number(metrics.rho), Member.tokens: .integer(metrics.extent.tokens), Member.leading: .string(leading),
      Member.policies: .array(
        metrics.policies.map { policy in
          [
            Member.name: .string(policy.name), Member.robustLoss: .number(policy.robustLoss),
            Member.tokenPerplexity: .number(policy.tokenPerplexity),
            Member.bitsPerByte: number(policy.bitsPerByte?.estimate),
            Member.meanTemperature: .number(policy.temperature.mean),
            Member.gapClosed: number(metrics.meaningfulGapClosed(by: policy)?.estimate),
            Member.brier: .number(policy.brier),
            Member.expectedCalibrationError: .number(policy.calibration.expectedError),
          ]
        }),
    ]
  }

  private static func number(_ value: Double?) -> JSON { value.map(JSON.number) ?? .null }
}

extension EvaluationSummary.Policy {
  fileprivate init?(_ json: JSON) {
    typealias Member = EvaluationSummary.Member
    guard let name = json[Member.name]?.stringValue else { return nil }
    func number(_ member: String) -> Double? { json[member]?.doubleValue }
    self.init(
      name: name, robustLoss: number(Member.robustLoss), tokenPerplexity: number(Member.tokenPerplexity),
      bitsPerByte: number(Member.bitsPerByte), meanTemperature: number(Member.meanTemperature),
      gapClosed: number(Member.gapClosed), brier: number(Member.brier),
      expectedCalibrationError: number(Member.expectedCalibrationError))
  }
}
