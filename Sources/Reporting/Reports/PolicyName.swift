/// Names in metrics files and reports of the policies that an evaluation has, or may have, without being told.
public enum PolicyName {
  /// Temperature 1.
  public static let one = "one"
  /// The best single temperature by cross-entropy.
  public static let best = "best"
  /// The best single temperature by robust loss.
  public static let bestRobust = "best-robust"
  /// The model's own TempNet.
  public static let model = "model"
  /// A TempNet that is an input; the second one is `tempnet-2`.
  public static let tempnet = "tempnet"
  /// The exact optimum of the measured loss.
  public static let exact = "exact"
  /// A model to compare with, at temperature 1. `baseline-best` is the same model at its best single temperature,
  /// `baseline-2` a second model.
  public static let baseline = "baseline"

  /// Whether no other policy may have the name. `tempnet-2` is reserved, `tempnet-old` is free.
  public static func isReserved(_ name: String) -> Bool {
    [one, best, bestRobust, model, tempnet, exact, baseline].contains(name) || name.hasPrefix("\(baseline)-")
      || name.hasPrefix("\(tempnet)-") && Int(name.dropFirst(tempnet.count + 1)) != nil
  }
}
