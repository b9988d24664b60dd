import Diagnostics
import TempNet
import TemperatureSettings
import Torch
import Weights

/// What a frozen model made of a split's tokens, in memory: one row per token.
struct FeatureSplit {
  /// The last hidden states, [N, d].
  let hidden: Tensor
  let logits: LogitStatistics
  /// The logit of the label minus the largest, [N].
  let target: Tensor
  /// int64 [N]
  let label: Tensor
  let profile: TemperatureProfile

  var count: Int { hidden.size(0) }

  /// Reads a split's file; every tensor must have the shape that the first one implies.
  ///
  /// - Parameter head: what the features' hidden states become logits by.
  init(_ path: String, head: Head) throws {
    let file = try SafetensorsFile(path)
    let shape = try file.entry("hidden").shape
    guard shape.count == 2, shape[0] > 0, shape[1] == head.width else {
      throw Failure(
        .badData, "\"hidden\" has shape \(shape), expected a row of \(head.width) for each of some tokens", at: path)
    }
    let rows = shape[0]
    func tensor(_ name: String, _ shape: [Int]) throws -> Tensor {
      try Tensor(file.entry(name, shape: shape)).to(head.weight.device)
    }
    let grid = try TemperatureGrid(
      temperatures: file.entry("profile.temperature").floats().map(Double.init), path: path)
    hidden = try tensor("hidden", shape)
    let maximum = try tensor("maximum", [rows])
    logits = LogitStatistics(
      maximum: maximum, norm: try tensor("norm", [rows]), centredNorm: try tensor("centred_norm", [rows]),
      hidden: hidden, weight: head.weight, bias: head.bias)
    target = try tensor("label_logit", [rows]) - maximum
    label = try tensor("label", [rows]).to(.int64)
    profile = TemperatureProfile(
      grid: grid, value: try tensor("profile.value", [rows, grid.count]),
      entropy: try tensor("profile.entropy", [rows, grid.count]),
      variance: try tensor("profile.variance", [rows, grid.count]))
  }

  private init(_ all: FeatureSplit, _ indices: Tensor) {
    hidden = all.hidden.selected(0, indices: indices)
    logits = all.logits.rows(indices)
    target = all.target.selected(0, indices: indices)
    label = all.label.selected(0, indices: indices)
    profile = all.profile.rows(indices)
  }

  /// The rows that the indices name, in their order.
  func rows(_ indices: [Int]) -> FeatureSplit { FeatureSplit(self, Tensor(indices).to(hidden.device)) }

  /// How the rows lie as a network's inputs, and their mean. That of normalised logits is linear in hidden states, so that it
  /// takes one product with the unembedding.
  func moments(_ settings: TempNetSettings, _ head: Head) -> (InputMoments, FoldedMean) {
    let mean = FoldedMean(settings, hidden: hidden, logits: logits)
    let moments = InputMoments(
      mean: mean.ofInputs(settings.input == .hidden ? nil : head.weight, bias: head.bias),
      scales: settings.input == .scaled ? logits.scales(settings.normalisationEpsilon) : nil)
    return (moments, mean)
  }
}

/// The frozen model's unembedding.
struct Head {
  /// [V, d]
  let weight: Tensor
  /// [V]
  let bias: Tensor?

  var vocabulary: Int { weight.size(0) }
  /// d
  var width: Int { weight.size(1) }

  init(_ path: String, device: Device) throws {
    let file = try SafetensorsFile(path)
    let entry = try file.entry("weight")
    guard entry.shape.count == 2, entry.shape[0] > 1, entry.shape[1] > 0 else {
      throw Failure(.badData, "has shape \(entry.shape), expected [vocabulary, width]", at: entry.place)
    }
    weight = try Tensor(entry).to(device)
    bias = try file["bias"] == nil ? nil : Tensor(file.entry("bias", shape: [entry.shape[0]])).to(device)
  }

  /// Logits [N, V] of hidden states [N, d].
  func callAsFunction(_ hidden: Tensor) -> Tensor { hidden.linear(weight, bias: bias) }
}
