import TemperatureSettings
import Torch
import Weights

/// Writes the table of one part of a `features` artifact, with room for all rows from the beginning.
public struct FeatureTable {
  private typealias Column = FeatureRows.Column
  private let writer: SafetensorsStreamWriter

  /// - Parameters:
  ///   - width: of the inputs.
  ///   - isContinued: whether an interrupted run has begun the file.
  public init(
    _ path: String, of kind: FeatureKind, rows: Int, width: Int, grid: TemperatureGrid, isContinued: Bool
  ) throws {
    let tensors =
      [
        TensorDescription(Column.input, .float32, [rows, width]), TensorDescription(Column.maximum, .float32, [rows]),
        TensorDescription(Column.mean, .float32, [rows]), TensorDescription(Column.alternatives, .int32, [rows]),
        TensorDescription(Column.labelLogit, .float32, [rows]), TensorDescription(Column.label, .int32, [rows]),
      ] + Self.further(kind, rows) + [
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

  /// The columns that rows of one kind have.
  private static func further(_ kind: FeatureKind, _ rows: Int) -> [TensorDescription] {
    switch kind {
    case .tokens:
      [TensorDescription(Column.norm, .float32, [rows]), TensorDescription(Column.centredNorm, .float32, [rows])]
    case .images, .texts: [TensorDescription(Column.position, .int32, [rows])]
    }
  }

  /// Writes rows of tokens from `row` on.
  ///
  /// - Parameters:
  ///   - hidden: the last hidden states, float32 [n, d].
  ///   - labels: int64 [n].
  ///   - logits: the measures of the n rows of logits.
  ///   - mean: of the n rows of logits, [n].
  ///   - vocabulary: how many logits a row has.
  public func write(
    hidden: Tensor, labels: Tensor, logits: ProfiledLogits, mean: Tensor, vocabulary: Int, at row: Int
  ) throws {
    let count = hidden.size(0)
    try write(
      [
        (Column.input, hidden), (Column.maximum, logits.maximum),
        (Column.mean, (mean.to(.float64) - logits.maximum.to(.float64)).to(.float32)),
        (Column.alternatives, .full([count], Double(vocabulary), dtype: .int32)),
        (Column.labelLogit, logits.labelLogit), (Column.label, labels.to(.int32)), (Column.norm, logits.norm),
        (Column.centredNorm, logits.centredNorm),
      ], logits.profile, at: row)
  }

  /// Writes rows of images or texts from `row` on.
  ///
  /// - Parameters:
  ///   - positions: of the anchors among all pictures or captions, one for each row.
  ///   - labels: the positions of the own candidates with the largest logits.
  public func write(
    anchors: Tensor, positions: [Int], labels: [Int], logits: AnchorLogits, at row: Int
  ) throws {
    try write(
      [
        (Column.input, anchors), (Column.maximum, logits.maximum), (Column.mean, logits.mean),
        (Column.alternatives, Tensor(logits.alternatives).to(.int32)), (Column.labelLogit, logits.ownLogit),
        (Column.label, Tensor(labels).to(.int32)), (Column.position, Tensor(positions).to(.int32)),
      ], logits.profile, at: row)
  }

  private func write(_ columns: [(String, Tensor)], _ profile: TemperatureProfile, at row: Int) throws {
    let tables = [
      (Column.value, profile.value), (Column.entropy, profile.entropy), (Column.variance, profile.variance),
    ]
    for (name, values) in columns + tables { try writer.write(rows: values, of: name, at: row) }
  }

  public func synchronise() throws { try writer.synchronise() }
  public func finish() throws { try writer.finish() }
}
