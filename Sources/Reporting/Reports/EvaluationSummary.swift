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

    public init(
      name: String, robustLoss: Double?, tokenPerplexity: Double?, bitsPerByte: Double?, meanTemperature: Double?,
      gapClosed: Double?, brier: Double?, expectedCalibrationError: Double?
    ) {
      self.name = name
      self.robustLoss = robustLoss
      self.tokenPerplexity = tokenPerplexity
      self.bitsPerByte = bitsPerByte
      self.meanTemperature = meanTemperature
      self.gapClosed = gapClosed
      self.brier = brier
      self.expectedCalibrationError = expectedCalibrationError
    }
  }

  /// The divergence budget of the robust loss, in nats.
  public let rho: Double?
  /// Of the test split.
  public let tokens: Int?
  /// The first one is the reference at temperature 1.
  public let policies: [Policy]
  /// The name of the policy that the evaluation is about; earlier releases did not state it.
  private let leadingName: String?

  public init(rho: Double, tokens: Int, policies: [Policy], leading: String) {
    (self.rho, self.tokens, self.policies, leadingName) = (rho, tokens, policies, leading)
  }

  /// The policy that the evaluation is about.
  public var leading: Policy? {
    func policy(_ name: String) -> Policy? { policies.first { $0.name == name } }
    return leadingName.flatMap(policy) ?? policy(PolicyName.tempnet) ?? policy(PolicyName.model)
  }
}

// MARK: - As members of a manifest

/// The names in the manifest's order.
private enum Member {
  static let rho = "rho"
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

extension EvaluationSummary {
  /// Reads a manifest's summary. Members that are missing are nil.
  public init(_ summary: JSON) {
    rho = summary[Member.rho]?.doubleValue
    tokens = summary[Member.tokens]?.intValue
    policies = (summary[Member.policies]?.arrayValue ?? []).compactMap(Policy.init)
    leadingName = summary[Member.leading]?.stringValue
  }

  public var json: JSON {
    [
      Member.rho: .number(orNull: rho), Member.tokens: tokens.map(JSON.integer) ?? .null,
      Member.leading: leadingName.map(JSON.string) ?? .null, Member.policies: .array(policies.map(\.json)),
    ]
  }
}

extension EvaluationSummary.Policy {
  fileprivate init?(_ json: JSON) {
    guard let name = json[Member.name]?.stringValue else { return nil }
    func number(_ member: String) -> Double? { json[member]?.doubleValue }
    self.init(
      name: name, robustLoss: number(Member.robustLoss), tokenPerplexity: number(Member.tokenPerplexity),
      bitsPerByte: number(Member.bitsPerByte), meanTemperature: number(Member.meanTemperature),
      gapClosed: number(Member.gapClosed), brier: number(Member.brier),
      expectedCalibrationError: number(Member.expectedCalibrationError))
  }

  fileprivate var json: JSON {
    [
      Member.name: .string(name), Member.robustLoss: .number(orNull: robustLoss),
      Member.tokenPerplexity: .number(orNull: tokenPerplexity), Member.bitsPerByte: .number(orNull: bitsPerByte),
      Member.meanTemperature: .number(orNull: meanTemperature), Member.gapClosed: .number(orNull: gapClosed),
      Member.brier: .number(orNull: brier),
      Member.expectedCalibrationError: .number(orNull: expectedCalibrationError),
    ]
  }
}
