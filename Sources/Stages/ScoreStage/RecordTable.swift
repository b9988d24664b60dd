import Diagnostics
import TempNet
import TemperatureSettings
import Torch
import Weights

/// The names of the tensors of a table of records.
private enum Column {
  static let hidden = "hidden"
  static let maximum = "maximum"
  static let norm = "norm"
  static let centredNorm = "centred_norm"
  static let mean = "mean"
  static let labelLogit = "label_logit"
  static let label = "label"
  static let pass = "pass"
  static let temperature = "profile.temperature"
  static let value = "profile.value"
  static let entropy = "profile.entropy"
  static let variance = "profile.variance"
}

/// Writes a table of records, pass by pass.
struct RecordTable {
  private let path: String
  private let tensors: [TensorDescription]
  private let offsets: [Int]
  private let grid: TemperatureGrid
  private let hasHidden: Bool

  /// - Parameters:
  ///   - width: of the hidden states; nil for a table without them.
  ///   - integers: the names of further columns.
  init(_ path: String, offsets: [Int], width: Int?, grid: TemperatureGrid, integers: [String]) {
    self.path = path
    self.offsets = offsets
    self.grid = grid
    hasHidden = width != nil
    let rows = offsets.last!
    let single = [Column.maximum, Column.norm, Column.centredNorm, Column.mean, Column.labelLogit]
    tensors =
      (width.map { [TensorDescription(Column.hidden, .float32, [rows, $0])] } ?? [])
      + single.map { TensorDescription($0, .float32, [rows]) }
      + ([Column.label] + integers).map { TensorDescription($0, .int32, [rows]) }
      + [
        TensorDescription(Column.pass, .int64, [offsets.count]),
        TensorDescription(Column.temperature, .float32, [grid.count]),
      ]
      + [Column.value, Column.entropy, Column.variance].map { TensorDescription($0, .float32, [rows, grid.count]) }
  }

  func create() throws -> SafetensorsStreamWriter {
    let writer = try SafetensorsStreamWriter(creating: path, tensors: tensors)
    try writer.write(rows: Tensor(offsets), of: Column.pass, at: 0)
    try writer.write(rows: grid.temperatures.map { Float($0) }, of: Column.temperature, at: 0)
    return writer
  }

  func open() throws -> SafetensorsStreamWriter { try SafetensorsStreamWriter(continuing: path, tensors: tensors) }

  /// - Parameter integers: the further columns.
  func write(
    _ records: TokenRecords, integers: [(name: String, values: [Int])], pass: Int, _ writer: SafetensorsStreamWriter
  ) throws {
    let profile = records.profile
    let columns: [(String, Tensor)] = [
      (Column.maximum, records.maximum), (Column.norm, records.norm), (Column.centredNorm, records.centredNorm),
      (Column.mean, records.mean), (Column.labelLogit, records.labelLogit), (Column.label, records.label.to(.int32)),
      (Column.value, profile.value), (Column.entropy, profile.entropy), (Column.variance, profile.variance),
    ]
    for (name, values) in columns { try writer.write(rows: values, of: name, at: offsets[pass]) }
    if hasHidden { try writer.write(rows: records.hidden!, of: Column.hidden, at: offsets[pass]) }
    for (name, values) in integers { try writer.write(rows: values.map(Int32.init), of: name, at: offsets[pass]) }
  }
}

/// A table of records in a file, read pass by pass.
struct RecordFile: TextRecordPasses {
  /// The column of a text's documents.
  static let documentColumn = "document"

  let offsets: [Int]
  let grid: TemperatureGrid
  private let file: SafetensorsFile
  private let vocabulary: Int
  private let width: Int?
  private let device: Device

  /// Opens a file that ``RecordTable`` wrote.
  ///
  /// - Parameters:
  ///   - grid: the temperatures of its profiles.
  ///   - width: of the hidden states; nil for a table without them.
  /// - Throws: `.badData` where a tensor does not have the shape that the others imply, or the rows of passes do not
  ///   follow each other.
  init(_ path: String, grid: TemperatureGrid, vocabulary: Int, width: Int?, device: Device) throws {
    let file = try SafetensorsFile(path)
    let passes = try file.entry(Column.pass)
    let offsets = try passes.integers()
    guard passes.shape.count == 1, offsets.count > 1, offsets[0] == 0,
      zip(offsets, offsets.dropFirst()).allSatisfy({ $0 < $1 })
    else { throw Failure(.badData, "does not hold the rising offsets of passes", at: passes.place) }
    let rows = offsets.last!
    guard try file.entry(Column.temperature).floats() == grid.temperatures.map({ Float($0) }) else {
      throw Failure(.badData, "is tabulated at other temperatures than its description states", at: path)
    }
    for name in [Column.value, Column.entropy, Column.variance] { _ = try file.entry(name, shape: [rows, grid.count]) }
    for name in [
      Column.maximum, Column.norm, Column.centredNorm, Column.mean, Column.labelLogit, Column.label,
    ] { _ = try file.entry(name, shape: [rows]) }
    if let width { _ = try file.entry(Column.hidden, shape: [rows, width]) }
    (self.file, self.offsets, self.grid) = (file, offsets, grid)
    (self.vocabulary, self.width, self.device) = (vocabulary, width, device)
  }

  func records(ofPass index: Int) throws -> TokenRecords {
    let rows = rows(ofPass: index)
    func column(_ name: String) throws -> Tensor { try Tensor(file.entry(name), rows: rows).to(device) }
    let label = try column(Column.label).to(.int64)
    guard label.less(0).to(.int64).sum().item == 0, label.less(Double(vocabulary)).not().to(.int64).sum().item == 0
    else {
      throw Failure(.badData, "holds a label that is no id of the vocabulary of \(vocabulary)", at: file.path)
    }
    return TokenRecords(
      profile: TemperatureProfile(
        grid: grid, value: try column(Column.value), entropy: try column(Column.entropy),
        variance: try column(Column.variance)),
      maximum: try column(Column.maximum), norm: try column(Column.norm), centredNorm: try column(Column.centredNorm),
      mean: try column(Column.mean), labelLogit: try column(Column.labelLogit), label: label,
      hidden: width == nil ? nil : try column(Column.hidden), vocabulary: vocabulary)
  }

  func documents(ofPass index: Int) throws -> [Int] {
    let documents = try integers(Self.documentColumn, ofPass: index)
    guard documents.allSatisfy({ $0 >= 0 }) else {
      throw Failure(.badData, "holds a document below 0", at: file.path)
    }
    return documents
  }

  /// A further column of integers.
  func integers(_ name: String, ofPass index: Int) throws -> [Int] {
    try file.entry(name, shape: [rows]).integers(rows: rows(ofPass: index))
  }
}
