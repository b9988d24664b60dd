/// The names that the published class gives to the layers and tensors of a TempNet of logits.
public enum TempNetTensors {
  /// The first layer.
  public static let transformation = "proj.0"
  /// The second layer.
  public static let projection = "proj.3"
  public static let scaler = "scaler"
  /// The layer of the output.
  public static let last = "last"

  public static func weight(of layer: String) -> String { "\(layer).weight" }
  public static func bias(of layer: String) -> String { "\(layer).bias" }

  public static let all = [
    weight(of: transformation), bias(of: transformation), weight(of: projection), bias(of: projection), scaler,
    weight(of: last), bias(of: last),
  ]
}
