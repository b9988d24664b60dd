import Diagnostics
import TempNet
import Torch
import Weights

/// What a frozen model made of a split's tokens, in memory: one row per token.
struct FeatureSplit {
  /// The last hidden states, [N, d].
  let hidden: Tensor
  /// The largest logit of each token, [N].
  let maximum: Tensor
  /// The Euclidean norm of the logits, [N], and of the logits minus their maximum.
  let norm: Tensor
  let centredNorm: Tensor
  /// The logit of the label minus the largest, [N].
  let target: Tensor
  /// int64 [N]
  let label: Tensor
  let profile: TemperatureProfile

  var count: Int { hidden.size(0) }

  /// Reads a split's file; every tensor must have the shape that the first one implies.
  init(_ path: String, device: Device) throws {
    let file = try SafetensorsFile(path)
    let shape = try file.entry("hidden").shape
    guard shape.count == 2, shape[0] > 0 else {
      throw Failure(.badData, "\"hidden\" has shape \(shape), expected a row for each of some tokens", at: path)
    }
    let rows = shape[0]
    func tensor(_ name: String, _ shape: [Int]) throws -> Tensor {
      try Tensor(file.entry(name, shape: shape)).to(device)
    }
    let grid = try TemperatureGrid(
      temperatures: file.entry("profile.temperature").floats().map(Double.init), path: path)
    hidden = try tensor("hidden", shape)
    maximum = try tensor("maximum", [rows])
    norm = try tensor("norm", [rows])
    centredNorm = try tensor("centred_norm", [rows])
    target = try tensor("label_logit", [rows]) - maximum
    label = try tensor("label", [rows]).to(.int64)
    profile = TemperatureProfile(
      grid: grid, value: try tensor("profile.value", [rows, grid.count]),
      entropy: try tensor("profile.entropy", [rows, grid.count]),
      variance: try tensor("profile.variance", [rows, grid.count]))
  }

  private init(_ all: FeatureSplit, _ indices: Tensor) {
    hidden = all.hidden.selected(0, indices: indices)
    maximum = all.maximum.selected(0, indices: indices)
    norm = all.norm.selected(0, indices: indices)
    centredNorm = all.centredNorm.selected(0, indices: indices)
    target = all.target.selected(0, indices: indices)
    label = all.label.selected(0, indices: indices)
    profile = all.profile.rows(indices)
  }

  /// The rows that the indices name, in their order.
  func rows(_ indices: [Int]) -> FeatureSplit { FeatureSplit(self, Tensor(indices).to(hidden.device)) }

  /// The mean over all rows of what the network's first layer sees, [V]: the logits, if need be minus their maximum,
  /// divided by their norm. By linearity this takes one product with the unembedding.
  func inputMean(_ input: TempNetSettings.Input, _ head: Head) -> Tensor {
    let weights = norm(of: input).clamped(1e-12, nil).reciprocal() / Double(count)
    var mean = weights.matmul(hidden).matmul(head.weight.transposed())
    if let bias = head.bias { mean = mean + bias * weights.sum() }
    return input == .centred ? mean - (weights * maximum).sum() : mean
  }

  /// The norm of what the network is shown.
  func norm(of input: TempNetSettings.Input) -> Tensor { input == .centred ? centredNorm : norm }
}

/// The frozen model's unembedding.
struct Head {
  /// [V, d]
  let weight: Tensor
  /// [V]
  let bias: Tensor?

  var vocabulary: Int { weight.size(0) }

  init(_ path: String, width: Int, device: Device) throws {
    let file = try SafetensorsFile(path)
    let entry = try file.entry("weight")
    guard entry.shape.count == 2, entry.shape[0] > 1, entry.shape[1] == width else {
      throw Failure(.badData, "has shape \(entry.shape), expected [vocabulary, \(width)]", at: entry.place)
    }
    weight = try Tensor(entry).to(device)
    bias = try file["bias"] == nil ? nil : Tensor(file.entry("bias", shape: [entry.shape[0]])).to(device)
  }

  /// Logits [N, V] of hidden states [N, d].
  func callAsFunction(_ hidden: Tensor) -> Tensor { hidden.linear(weight, bias: bias) }
}
