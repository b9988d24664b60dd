import TempNet
import Torch
import Weights

/// The file of one split: a row for each token, with room for all of them from the beginning.
struct FeatureTable {
  private let writer: SafetensorsStreamWriter
  private let grid: TemperatureGrid

  /// - Parameter isContinued: whether an interrupted run has begun the file.
  init(_ path: String, rows: Int, width: Int, grid: TemperatureGrid, isContinued: Bool) throws {
    let tensors = [
      TensorDescription("hidden", .float32, [rows, width]), TensorDescription("maximum", .float32, [rows]),
      TensorDescription("norm", .float32, [rows]), TensorDescription("centred_norm", .float32, [rows]),
      TensorDescription("label_logit", .float32, [rows]), TensorDescription("label", .int32, [rows]),
      TensorDescription("profile.temperature", .float32, [grid.count]),
      TensorDescription("profile.value", .float32, [rows, grid.count]),
      TensorDescription("profile.entropy", .float32, [rows, grid.count]),
      TensorDescription("profile.variance", .float32, [rows, grid.count]),
    ]
    self.grid = grid
    writer =
      isContinued
      ? try SafetensorsStreamWriter(continuing: path, tensors: tensors)
      : try SafetensorsStreamWriter(creating: path, tensors: tensors)
    if !isContinued { try writer.write(rows: grid.temperatures.map { Float($0) }, of: "profile.temperature", at: 0) }
  }

  /// Writes the rows of tokens with these hidden states [n, d], logits [n, V] and labels [n].
  func write(hidden: Tensor, logits: Tensor, labels: Tensor, at row: Int) throws {
    let maximum = logits.maximum(-1)
    let profile = TemperatureProfile.compute(logits: logits, grid: grid)
    let columns: [(String, Tensor)] = [
      ("hidden", hidden), ("maximum", maximum), ("norm", logits.norm(-1)),
      ("centred_norm", (logits - maximum.unsqueezed(-1)).norm(-1)),
      ("label_logit", logits.gathered(-1, labels.unsqueezed(-1)).squeezed(-1)), ("label", labels.to(.int32)),
      ("profile.value", profile.value), ("profile.entropy", profile.entropy), ("profile.variance", profile.variance),
    ]
    for (name, values) in columns { try writer.write(rows: values, of: name, at: row) }
  }

  func synchronise() throws { try writer.synchronise() }
  func finish() throws { try writer.finish() }
}
