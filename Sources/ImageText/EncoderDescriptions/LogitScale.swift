/// The factor between similarities and logits: z = scale · s, so that 1/scale is the model's own temperature.
public struct LogitScale: Equatable, Sendable {
  /// Where a scale comes from.
  public enum Origin: String, CaseIterable, Sendable {
    /// Trained with the encoders, as open_clip's `logit_scale`.
    case learned
    /// 1/τ of the fixed temperature that the encoders were trained at.
    case fixed
    /// 1/τ of the best single temperature on validation, for encoders whose training had many temperatures.
    case validation
    /// Stated by the user, for embeddings made elsewhere.
    case given
  }

  /// Positive and finite.
  public let value: Double
  public let origin: Origin

  public init(_ value: Double, from origin: Origin) {
    precondition(value > 0 && value.isFinite, "a scale of \(value)")
    (self.value, self.origin) = (value, origin)
  }
}
