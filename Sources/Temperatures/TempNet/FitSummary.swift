import Artifacts

/// The figures of a fit that programs read. The summary of a `tempnet` artifact's manifest holds them.
public enum FitSummary {
  /// The object of figures on the validation split.
  public static let validation = "validation"
  /// Within it, the single temperature with the least robust loss.
  public static let bestSingleTemperature = "best_single_temperature"

  /// Nil where the TempNet was imported.
  public static func bestSingleTemperature(of tempnet: Artifact) -> Double? {
    tempnet.summary[validation]?[bestSingleTemperature]?.doubleValue
  }
}
