import Diagnostics
import TemperatureSettings
import Torch
import Weights

/// The table of one part of a `features` artifact, in memory: N rows, one per token.
public struct FeatureRows {
  /// The last hidden states, float32 [N, d].
  public let hidden: Tensor
  /// The largest logit, float32 [N].
  public let maximum: Tensor
  /// The Euclidean norm of the logits, float32 [N].
  public let norm: Tensor
  /// The Euclidean norm of the logits minus the largest, float32 [N].
  public let centredNorm: Tensor
  /// The logit of the label, float32 [N].
  public let labelLogit: Tensor
  /// int64 [N]
  public let label: Tensor
  public let profile: TemperatureProfile

  /// The names of the tensors.
  enum Column {
    static let hidden = "hidden"
    static let maximum = "maximum"
    static let norm = "norm"
    static let centredNorm = "centred_norm"
    static let labelLogit = "label_logit"
    static let label = "label"
    static let temperature = "profile.temperature"
    static let value = "profile.value"
    static let entropy = "profile.entropy"
    static let variance = "profile.variance"
  }

  /// Reads a file that ``FeatureTable`` wrote; every tensor must have the shape that the first one implies.
  init(_ path: String, head: Head) throws {
    let file = try SafetensorsFile(path)
    let shape = try file.entry(Column.hidden).shape
    guard shape.count == 2, shape[0] > 0, shape[1] == head.width else {
      throw Failure(
        .badData,
        "\"\(Column.hidden)\" has shape \(shape), expected a row of \(head.width) for each of some tokens", at: path)
    }
    let rows = shape[0]
    func tensor(_ name: String, _ shape: [Int]) throws -> Tensor {
      try Tensor(file.entry(name, shape: shape)).to(head.weight.device)
    }
    let grid = try TemperatureGrid(
      temperatures: file.entry(Column.temperature).floats().map(Double.init), path: path)
    hidden = try tensor(Column.hidden, shape)
    maximum = try tensor(Column.maximum, [rows])
    norm = try tensor(Column.norm, [rows])
    centredNorm = try tensor(Column.centredNorm, [rows])
    labelLogit = try tensor(Column.labelLogit, [rows])
    label = try tensor(Column.label, [rows]).to(.int64)
    profile = TemperatureProfile(
      grid: grid, value: try tensor(Column.value, [rows, grid.count]),
      entropy: try tensor(Column.entropy, [rows, grid.count]),
      variance: try tensor(Column.variance, [rows, grid.count]))
  }
}
