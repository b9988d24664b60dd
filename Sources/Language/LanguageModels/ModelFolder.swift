import Diagnostics
import Files
import JSON
import ModelDescriptions
import ModelFiles
import Torch
import Weights

extension LanguageModel {
  public static let configurationName = HuggingFaceFolder.configurationName
  public static let weightsName = HuggingFaceFolder.weightsName

  /// Writes `config.json` and `model.safetensors` (float32) into an existing folder; equal models give equal bytes.
  public func save(to folder: String) throws {
    precondition(parameters.allSatisfy { $0.tensor.dtype != .bfloat16 }, "a frozen model's factors have been rounded")
    try AtomicFile.write(configuration.json.pretty, to: "\(folder)/\(Self.configurationName)")
    try SafetensorsWriter.write(
      parameters.map { (name: $0.name, tensor: $0.tensor.to(.float32)) }, to: "\(folder)/\(Self.weightsName)")
  }

  /// Reads a folder that `save` wrote.
  ///
  /// - Throws: `Failure` with `.missingInput` or `.badData`: every tensor that the configuration calls for must be
  ///   there with its shape, and no other.
  public static func load(
    _ folder: String, device: Device = .cpu, computeType: DType = .float32
  ) throws -> LanguageModel {
    let configuration = try ModelConfiguration(readingFolder: folder)
    return LanguageModel(
      configuration, parameters: try ownParameters(configuration, folder: folder), device: device,
      computeType: computeType)
  }

  static func ownParameters(
    _ configuration: ModelConfiguration, folder: String, _ adopt: ParameterAdoption = { $1 }
  ) throws -> [NamedTensor] {
    let file = try SafetensorsFile("\(folder)/\(weightsName)")
    try file.check(configuration)
    let expected = configuration.parameters
    let unexpected = Set(file.tensorNames).subtracting(expected.map(\.name)).sorted()
    guard unexpected.isEmpty else { throw Failure.unexpectedTensors(unexpected, at: file.path) }
    return try expected.map { NamedTensor($0.name, try adopt($0, file.tensor($0.name, shape: $0.shape))) }
  }
}

extension ModelConfiguration {
  /// Reads the `config.json` of a model's folder.
  public init(readingFolder folder: String) throws {
    let path = "\(folder)/\(LanguageModel.configurationName)"
    try self.init(JSON(parsing: Files.read(path), source: path, for: .strict), source: path)
  }
}
