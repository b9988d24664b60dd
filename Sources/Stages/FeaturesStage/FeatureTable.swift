import TempNet
import TemperatureSettings
import Torch
import Weights

/// The file of one split: a row for each token, with room for all of them from the beginning.
struct FeatureTable {
  private let writer: SafetensorsStreamWriter

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
    writer =
      isContinued
      ? try SafetensorsStreamWriter(continuing: path, tensors: tensors)
      : try SafetensorsStreamWriter(creating: path, tensors: tensors)
    if !isContinued { try writer.write(rows: grid.temperatures.map { Float($0) }, of: "profile.temperature", at: 0) }
  }

  /// Writes the rows of tokens with these hidden states [n, d], labels [n] and what their logits are like.
  func write(hidden: Tensor, labels: Tensor, logits: ProfiledLogits, at row: Int) throws {
    let columns: [(String, Tensor)] = [
      ("hidden", hidden), ("maximum", logits.maximum), ("norm", logits.norm), ("centred_norm", logits.centredNorm),
      ("label_logit", logits.labelLogit), ("label", labels.to(.int32)), ("profile.value", logits.profile.value),
      ("profile.entropy", logits.profile.entropy), ("profile.variance", logits.profile.variance),
    ]
    for (name, values) in columns { try writer.write(rows: values, of: name, at: row) }
  }

  func synchronise() throws { try writer.synchronise() }
  func finish() throws { try writer.finish() }
}
