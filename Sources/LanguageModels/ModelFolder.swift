import Artifacts
import Diagnostics
import Torch
import Weights

extension LanguageModel {
  public static let configurationName = "config.json"
  public static let weightsName = "model.safetensors"

  /// Writes `config.json` and `model.safetensors` (float32) into an existing folder; equal models give equal bytes.
  public func save(to folder: String) throws {
    try AtomicFile.write(configuration.json.pretty, to: "\(folder)/\(Self.configurationName)")
    try SafetensorsWriter.write(
      parameters.map { (name: $0.name, tensor: $0.tensor.to(.float32)) }, to: "\(folder)/\(Self.weightsName)")
  }

  /// Reads a folder that `save` wrote.
  ///
  /// - Throws: `Failure` with `.missingInput` or `.badData`: every tensor that the configuration calls for must be
  ///   there with its shape, and no other.
  public static func load(
    _ folder: String, device: Device = .cpu, arithmetic: DType = .float32
  ) throws -> LanguageModel {
    let configuration = try ModelConfiguration(readingFolder: folder)
    let file = try SafetensorsFile("\(folder)/\(weightsName)")
    let expected = configuration.parameters
    let unexpected = Set(file.entries.map(\.name)).subtracting(expected.map(\.name)).sorted()
    guard unexpected.isEmpty else {
      throw Failure.unexpectedTensors(unexpected, at: file.path)
    }
    let parameters = try expected.map { parameter in
      let entry = try file.floatingPointEntry(parameter.name, shape: parameter.shape)
      return NamedTensor(parameter.name, try Tensor(entry).to(.float32))
    }
    return LanguageModel(configuration, parameters: parameters, device: device, arithmetic: arithmetic)
  }
}

extension ModelConfiguration {
  /// Reads the `config.json` of a model's folder.
  public init(readingFolder folder: String) throws {
    let path = "\(folder)/\(LanguageModel.configurationName)"
    try self.init(JSON(parsing: Files.read(path), source: path), source: path)
  }
}

extension SafetensorsFile {
  /// The tensor of that name, which must be there with this shape and hold floating-point numbers.
  func floatingPointEntry(_ name: String, shape: [Int]) throws -> SafetensorsEntry {
    let entry = try entry(name, shape: shape)
    guard entry.type.dtype?.isFloatingPoint == true else {
      throw Failure(.badData, "holds \(entry.type.rawValue), expected floating-point numbers", at: entry.place)
    }
    return entry
  }
}

extension Failure {
  static func unexpectedTensors(_ names: [String], at path: String) -> Failure {
    let listed = names.prefix(8).joined(separator: ", ") + (names.count > 8 ? " and \(names.count - 8) more" : "")
    return Failure(.badData, "holds tensors that the model does not have: \(listed)", at: path)
  }
}
