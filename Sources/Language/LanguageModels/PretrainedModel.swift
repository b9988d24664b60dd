import Diagnostics
import Files
import JSON
import ModelDescriptions
import ModelFiles
import Torch
import Weights

/// A model to be used as it is, wherever it comes from: an artifact of ours, a folder in Hugging Face's form, a GGUF
/// file.
///
/// Opening reads the configuration only; `load` reads the weights, in float32. Every tensor that the configuration
/// calls for must be there with its shape, and no other: nothing ever runs on random or misread weights.
public struct PretrainedModel: Sendable {
  public let source: ModelSource
  public let configuration: ModelConfiguration
  let parameters: @Sendable (ParameterAdoption) throws -> [NamedTensor]

  public var path: String { source.path }

  /// - Throws: `Failure` with `.missingInput`, or with `.badData` naming what is damaged or not supported.
  public static func open(_ path: String) throws -> PretrainedModel {
    let source = try ModelSource(path)
    switch source {
    case .own(let path):
      let configuration = try ModelConfiguration(readingFolder: path)
      return PretrainedModel(source: source, configuration: configuration) { adopt in
        try LanguageModel.ownParameters(configuration, folder: path, adopt)
      }
    case .huggingFace(let folder):
      let json = try JSON(parsing: Files.read(folder.configurationPath), source: folder.configurationPath)
      let (family, configuration) = try ModelFamily.read(json, source: folder.configurationPath)
      return PretrainedModel(source: source, configuration: configuration) { adopt in
        if let index = folder.index {
          return try family.layout.parameters(configuration, from: ShardedWeights(folder, index), adopt)
        }
        let file = try SafetensorsFile("\(path)/\(folder.weights[0])")
        return try family.layout.parameters(configuration, from: file, adopt)
      }
    case .gguf(let path):
      let file = try GGUFFile(path)
      let (layout, configuration) = try ModelFamily.read(file)
      return PretrainedModel(source: source, configuration: configuration) { adopt in
        try layout.parameters(configuration, from: file, adopt)
      }
    }
  }

  /// Reads the weights.
  ///
  /// - Parameter isFrozen: whether they stay as they are; in bfloat16 the matrices of blocks are then converted one by one
  ///   as they are read, and not kept as they were.
  /// - Throws: `.badData` naming what is damaged; that is also a weight that is NaN or infinite.
  public func load(
    device: Device = .cpu, arithmetic: DType = .float32, isFrozen: Bool = false
  ) throws -> LanguageModel {
    let parameters = try parameters { parameter, tensor in
      guard tensor.allFinite().item == 1 else {
        throw Failure(.badData, "not all numbers of the weight \(parameter.name) are finite", at: path)
      }
      return isFrozen && parameter.isFactor ? tensor.to(arithmetic) : tensor
    }
    return LanguageModel(
      configuration, parameters: parameters, device: device, arithmetic: arithmetic, isFrozen: isFrozen)
  }

  /// What `Tokenizer(path:)` reads the model's vocabulary from.
  public var tokenizerPath: String { path }
}
