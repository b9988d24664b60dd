import Diagnostics
import Glibc
import TemperatureSettings
import Torch
import Weights

/// The table of one part of a `features` artifact, in memory: N rows.
public struct FeatureRows {
  /// The input of a network: last hidden states, or embeddings; float32 [N, d].
  public let input: Tensor
  /// The largest logit, float32 [N].
  public let maximum: Tensor
  /// The logit of the label, float32 [N].
  public let labelLogit: Tensor
  /// How many logits each row has; nil in tables of format version 1, where all have as many as the vocabulary.
  public let alternatives: [Int]?
  public let profile: TemperatureProfile
  private let file: SafetensorsFile
  private let device: Device

  /// The names of the tensors.
  enum Column {
    static let input = "hidden"
    static let maximum = "maximum"
    static let norm = "norm"
    static let centredNorm = "centred_norm"
    static let mean = "mean"
    static let alternatives = "alternatives"
    static let labelLogit = "label_logit"
    static let label = "label"
    static let position = "position"
    static let temperature = "profile.temperature"
    static let value = "profile.value"
    static let entropy = "profile.entropy"
    static let variance = "profile.variance"
  }

  /// Reads a file that ``FeatureTable`` wrote; every tensor must have the shape that the first one implies.
  ///
  /// - Parameter width: of the inputs; nil where any will do.
  init(_ path: String, width: Int?, device: Device) throws {
    file = try SafetensorsFile(path)
    self.device = device
    let shape = try file.entry(Column.input).shape
    guard shape.count == 2, shape[0] > 0, shape[1] > 0, [nil, shape[1]].contains(width) else {
      throw Failure(
        .badData,
        "\"\(Column.input)\" has shape \(shape), expected a row of \(width.map(String.init) ?? "some numbers") for each "
          + "of some rows", at: path)
    }
    let grid = try TemperatureGrid(
      temperatures: file.entry(Column.temperature).floats().map(Double.init), path: path)
    let (file, nodes) = (file, [shape[0], grid.count])
    func tensor(_ name: String, _ shape: [Int]) throws -> Tensor {
      try Tensor(file.entry(name, shape: shape)).to(device)
    }
    input = try tensor(Column.input, shape)
    maximum = try tensor(Column.maximum, [shape[0]])
    labelLogit = try tensor(Column.labelLogit, [shape[0]])
    alternatives =
      try file[Column.alternatives] == nil ? nil : Self.alternatives(file.entry(Column.alternatives, shape: [shape[0]]))
    profile = TemperatureProfile(
      grid: grid, value: try tensor(Column.value, nodes), entropy: try tensor(Column.entropy, nodes),
      variance: try tensor(Column.variance, nodes))
  }

  var count: Int { input.size(0) }

  /// A further column, [N].
  func column(_ name: String) throws -> Tensor { try Tensor(file.entry(name, shape: [count])).to(device) }

  /// The mean of each row's logits, counted from the largest, float32 [N]; nil in tables of format version 1.
  func meanLogits() throws -> Tensor? { file[Column.mean] == nil ? nil : try column(Column.mean) }

  /// ln of each row's number of logits, float64 [N].
  ///
  /// - Parameter vocabulary: the number in tables that state none.
  func logAlternatives(vocabulary: Int? = nil) throws -> Tensor {
    guard let numbers = alternatives ?? vocabulary.map({ Array(repeating: $0, count: count) }) else {
      throw Failure(.badData, "has no tensor \"\(Column.alternatives)\"", at: file.path)
    }
    if let vocabulary, let row = numbers.firstIndex(where: { $0 != vocabulary }) {
      throw Failure(
        .badData, "row \(row) states \(numbers[row]) logits, but the unembedding makes \(vocabulary)", at: file.path)
    }
    return Tensor(numbers.map { log(Double($0)) }, shape: [count]).to(device)
  }

  private static func alternatives(_ entry: SafetensorsEntry) throws -> [Int] {
    let numbers = try Tensor(entry).integers.map(Int.init)
    if let row = numbers.firstIndex(where: { $0 < 2 }) {
      throw Failure(.badData, "states \(numbers[row]) logits in row \(row), expected at least 2", at: entry.place)
    }
    return numbers
  }
}
