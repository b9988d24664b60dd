import TemperatureSettings

/// The temperatures at which records are tabulated, and those at which they can be read.
public enum RecordGrid {
  /// The nodes for temperatures within bounds. The Brier score at a temperature needs the profile at half of it.
  public static func grid(for bounds: ClosedRange<Double>, nodesPerOctave: Int) -> TemperatureGrid {
    TemperatureGrid(covering: bounds.lowerBound / 2...bounds.upperBound, nodesPerOctave: nodesPerOctave)
  }

  /// The temperatures that tables on a grid answer.
  public static func bounds(of grid: TemperatureGrid) -> ClosedRange<Double> {
    2 * grid.bounds.lowerBound...grid.bounds.upperBound
  }
}
