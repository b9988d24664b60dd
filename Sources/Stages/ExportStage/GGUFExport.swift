import Artifacts
import Diagnostics
import LanguageEvaluation
import LanguageModels
import ModelFiles
import TempNet
import TemperatureSettings
import Torch

/// A TempNet for programs that read GGUF: as a file of its own, or inside a model's file.
struct GGUFExport {
  let network: TemperatureNetwork
  let tempnet: Artifact
  let evaluation: EvaluationArtifact?

  /// What `general.architecture` says of a file that holds a TempNet alone.
  static let architecture = "tempnet"
  /// The key of the temperature with which llama.cpp's programs sample by default.
  private static let samplingTemperature = "general.sampling.temp"

  private var settings: TempNetSettings { network.settings }
  private typealias Entries = [(key: String, value: GGUFWriter.Value)]

  /// Writes the weights under their published names; the scaler has one element.
  func writeAlone(to path: String) throws {
    let general: Entries = [
      ("general.architecture", .string(Self.architecture)), ("general.type", .string("adapter")),
      ("general.name", .string("TempNet \(tempnet.key.prefix(12))")), ("general.file_type", .uint32(0)),
    ]
    let tensors = network.parameters.map { parameter in
      GGUFWriter.Tensor(parameter.name, shape: parameter.tensor.rank == 0 ? [1] : parameter.tensor.shape) {
        parameter.tensor.floats
      }
    }
    try GGUFWriter.write(general + described, tensors, to: path)
  }

  /// Writes a copy of a model's file with the TempNet as arrays in the metadata, where programs ignore unknown keys; they
  /// refuse unknown tensors. The first layer is multiplied through the file's unembedding, because arrays of vocabulary
  /// times hidden width are slow to read.
  func writeCopy(of path: String, to output: String) throws {
    guard case .gguf = try ModelSource(path) else {
      throw Failure(.badData, "is not a GGUF file; only to such a file can a TempNet be added", at: path)
    }
    let model = try GGUFFile(path)
    if settings.input != .hidden { try model.checkArchitecture() }
    var entries = described
    if let temperature = bestTemperature, model.metadata[Self.samplingTemperature] == nil {
      entries.append((Self.samplingTemperature, .float32(temperature)))
    }
    let arrays = try withoutGradients { try folded(into: model) }
    for (name, tensor) in arrays { entries.append(("tempnet.\(name)", .floats(tensor.floats))) }
    try GGUFWriter.copy(model, adding: entries, to: output)
  }

  private var bestTemperature: Double? {
    evaluation?.bestTemperature ?? FitSummary.bestSingleTemperature(of: tempnet)
  }

  /// The settings, where they come from, and the best single temperatures.
  private var described: Entries {
    var entries: Entries = [
      ("tempnet.format_version", .uint32(1)), ("tempnet.producer", .string("tempnet \(Release.version)")),
      ("tempnet.key", .string(tempnet.key)),
    ]
    // Dropout only acts in training.
    for (name, value) in settings.entries where name != "dropout" {
      switch value {
      case .integer(let value): entries.append(("tempnet.\(name)", .uint32(value)))
      case .number(let value): entries.append(("tempnet.\(name)", .float64(value)))
      case .text(let value): entries.append(("tempnet.\(name)", .string(value)))
      }
    }
    if let best = evaluation?.bestTemperature { entries.append(("tempnet.best_temperature", .float64(best))) }
    let robust =
      evaluation?.bestRobustTemperature ?? FitSummary.bestSingleTemperature(of: tempnet)
    if let robust { entries.append(("tempnet.best_temperature.robust_loss", .float64(robust))) }
    return entries
  }

  /// The arrays that a sampler with the hidden state and the logits needs, as in `tempnet-folded.onnx`.
  private func folded(into model: GGUFFile) throws -> [(name: String, tensor: Tensor)] {
    let (unembedding, bias) = try head(of: model)
    let first = FoldedFirstLayer(network, FoldedUnembedding(weight: unembedding, bias: bias))
    let arrays: [(name: String, tensor: Tensor?)] = [
      ("folded.weight", first.weight), ("folded.bias", first.headBias), ("folded.row_sums", first.rowSums),
      ("scales.weight", first.scales?.contiguous()),
    ]
    return arrays.compactMap { name, tensor in tensor.map { (name, $0) } }
      + network.parameters.dropFirst().map { ($0.name, $0.tensor) }
  }

  /// The unembedding [vocabulary, d] of a model's file and its bias, after a check of their shapes against the TempNet.
  private func head(of model: GGUFFile) throws -> (weight: Tensor, bias: Tensor?) {
    let weight = try model.unembedding()
    guard weight.shape.count == 2, weight.shape[0] == settings.vocabulary,
      [nil, weight.shape[1]].contains(settings.width)
    else {
      let width = settings.width.map { " and hidden states of \($0)" } ?? ""
      throw Failure(
        .badData, "has shape \(weight.shape), but the TempNet is for \(settings.vocabulary) logits\(width)",
        at: weight.place)
    }
    let bias = try model.unembeddingBias.map { tensor in
      guard tensor.shape == [settings.vocabulary] else {
        throw Failure(.badData, "has shape \(tensor.shape), expected [\(settings.vocabulary)]", at: tensor.place)
      }
      return Tensor(tensor.floats, shape: tensor.shape)
    }
    return (Tensor(weight.floats, shape: weight.shape), bias)
  }
}
