import Diagnostics
import TemperatureSettings
import Torch
import Weights

extension TemperatureNetwork {
  /// Reads a TempNet from a safetensors file: the weights under their published names, the settings from the metadata.
  ///
  /// Weights of any floating-point type are widened to float32; a scaler of one element is as good as one of rank 0,
  /// because the published code writes both.
  ///
  /// - Throws: `Failure(.missingInput)`, or `.badData` that names the file and the tensor or entry at fault.
  public static func load(_ path: String) throws -> TemperatureNetwork {
    let file = try SafetensorsFile(path)
    let settings = try TempNetSettings(metadata: file.metadata, path: path)
    return try TemperatureNetwork(settings, weights: file)
  }

  /// Reads a TempNet that is to see the logits and hidden states of a certain model.
  ///
  /// - Throws: as above, and `.badData` where it is for a model of another size.
  public static func load(
    _ path: String, vocabulary: Int, width: Int, device: Device
  ) throws -> TemperatureNetwork {
    let network = try load(path)
    let settings = network.settings
    guard settings.vocabulary == vocabulary else {
      throw Failure(
        .badData, "is for \(settings.vocabulary) logits, but the model has \(vocabulary)", at: path)
    }
    guard [nil, width].contains(settings.width) else {
      throw Failure(
        .badData, "reads hidden states of \(settings.width ?? 0), but the model's have \(width)", at: path)
    }
    return network.mapped { $0.to(device) }
  }

  /// Takes weights from a file whose settings are known from elsewhere, as for checkpoints of the published code.
  public init(_ settings: TempNetSettings, weights file: SafetensorsFile) throws {
    try self.init(settings) { try file.entry($0, shape: $1) }
  }

  /// Takes weights that lie under other names or in several files.
  ///
  /// - Parameter entry: finds a tensor by its published name; nil stands for any shape.
  public init(
    _ settings: TempNetSettings, entry: (_ name: String, _ shape: [Int]?) throws -> SafetensorsEntry
  ) throws {
    let hidden = settings.hidden
    func tensor(_ name: String, _ shape: [Int]) throws -> Tensor {
      Tensor(try entry(name, shape).finiteFloats(), shape: shape)
    }
    let scaler = try entry(TempNetTensors.scaler, nil)
    guard scaler.count == 1 else {
      throw Failure(.badData, "has shape \(scaler.shape), expected a single number", at: scaler.place)
    }
    func layer(_ name: String, _ inputs: Int, _ outputs: Int) throws -> Linear {
      Linear(
        weight: try tensor(TempNetTensors.weight(of: name), [outputs, inputs]),
        bias: try tensor(TempNetTensors.bias(of: name), [outputs]))
    }
    self.init(
      settings: settings, transformation: try layer(TempNetTensors.transformation, settings.inputSize, hidden),
      projection: try layer(TempNetTensors.projection, hidden, hidden),
      scaler: Tensor(try scaler.finiteFloats(), shape: []), last: try layer(TempNetTensors.last, hidden, 1))
  }

  /// Writes weights and settings; equal networks give equal bytes.
  ///
  /// - Parameter metadata: further strings for the header; the settings' own names win.
  public func save(_ path: String, metadata: [String: String] = [:]) throws {
    try save(parameters.map { ($0.name, $0.tensor) }, path, metadata)
  }

  /// Writes what the published class for inference has: a scaler of one element, and half precision. The settings are
  /// the same; temperatures differ as far as rounding the weights takes them.
  public func saveForInference(_ path: String, metadata: [String: String] = [:]) throws {
    let tensors = parameters.map { parameter in
      let tensor = parameter.name == TempNetTensors.scaler ? parameter.tensor.reshaped([1]) : parameter.tensor
      return (parameter.name, tensor.to(.float16))
    }
    try save(tensors, path, metadata)
  }

  private func save(_ tensors: [(name: String, tensor: Tensor)], _ path: String, _ metadata: [String: String]) throws {
    let all = metadata.merging(settings.metadata) { _, own in own }
    try SafetensorsWriter.write(tensors, metadata: all, to: path)
  }
}

extension SafetensorsEntry {
  /// Weights that are not finite make every temperature NaN, and all that is computed with it.
  func finiteFloats() throws -> [Float] {
    let floats = try floats()
    if let index = floats.firstIndex(where: { !$0.isFinite }) {
      throw Failure(.badData, "holds \(floats[index]) at element \(index), expected finite numbers", at: place)
    }
    return floats
  }
}
