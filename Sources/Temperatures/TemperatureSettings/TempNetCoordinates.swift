/// The coordinates of a TempNet's input in which its first layer is trained.
public enum TempNetCoordinates: String, CaseIterable, Sendable {
  /// Centred, and in units of the input's spread.
  case standardised
  /// Those of the first layer as it is published.
  case published
}
