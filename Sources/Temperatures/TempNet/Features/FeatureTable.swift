import TemperatureSettings
import Torch
import Weights

/// Writes the table of one part of a `features` artifact, with room for all rows from the beginning.
public struct FeatureTable {
  private typealias Column = FeatureRows.Column
  private let writer: SafetensorsStreamWriter

  /// - Parameter isContinued: whether an interrupted run has begun the file.
  public init(_ path: String, rows: Int, width: Int, grid: TemperatureGrid, isContinued: Bool) throws {
    let tensors = [
      TensorDescription(Column.hidden, .float32, [rows, width]), TensorDescription(Column.maximum, .float32, [rows]),
      TensorDescription(Column.norm, .float32, [rows]), TensorDescription(Column.centredNorm, .float32, [rows]),
      TensorDescription(Column.labelLogit, .float32, [rows]), TensorDescription(Column.label, .int32, [rows]),
      TensorDescription(Column.temperature, .float32, [grid.count]),
      TensorDescription(Column.value, .float32, [rows, grid.count]),
      TensorDescription(Column.entropy, .float32, [rows, grid.count]),
      TensorDescription(Column.variance, .float32, [rows, grid.count]),
    ]
    writer =
      isContinued
      ? try SafetensorsStreamWriter(continuing: path, tensors: tensors)
      : try SafetensorsStreamWriter(creating: path, tensors: tensors)
    if !isContinued { try writer.write(rows: grid.temperatures.map { Float($0) }, of: Column.temperature, at: 0) }
  }

  /// Writes n rows from `row` on.
  ///
  /// - Parameters:
  ///   - hidden: the last hidden states, float32 [n, d].
  ///   - labels: int64 [n].
  ///   - logits: the measures of the n rows of logits.
  public func write(hidden: Tensor, labels: Tensor, logits: ProfiledLogits, at row: Int) throws {
    let columns: [(String, Tensor)] = [
      (Column.hidden, hidden), (Column.maximum, logits.maximum), (Column.norm, logits.norm),
      (Column.centredNorm, logits.centredNorm), (Column.labelLogit, logits.labelLogit),
      (Column.label, labels.to(.int32)), (Column.value, logits.profile.value),
      (Column.entropy, logits.profile.entropy), (Column.variance, logits.profile.variance),
    ]
    for (name, values) in columns { try writer.write(rows: values, of: name, at: row) }
  }

  public func synchronise() throws { try writer.synchronise() }
  public func finish() throws { try writer.finish() }
}
