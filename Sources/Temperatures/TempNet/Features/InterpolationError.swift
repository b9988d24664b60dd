/// The largest differences between interpolated and true values of some rows.
public struct InterpolationError: Equatable, Sendable {
  /// How many rows were measured.
  public let rows: Int
  /// Of τ · log Σ exp(x/τ), in nats.
  public let loss: Double
  /// In nats.
  public let entropy: Double

  public init(rows: Int, loss: Double, entropy: Double) { (self.rows, self.loss, self.entropy) = (rows, loss, entropy) }
}
