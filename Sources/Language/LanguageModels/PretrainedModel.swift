import Diagnostics
import Files
import JSON
import ModelDescriptions
import ModelFiles
import Torch
import Weights

/// A trained model: an artifact, a folder in Hugging Face's form, or a GGUF file.
///
/// Opening reads the configuration only; `load` reads the weights in float32. The file must hold exactly the tensors that the
/// configuration calls for, in their shapes, so that no model ever runs on random or misread weights.
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
  /// - Parameter isFrozen: whether the weights never change. Then matrices of blocks are converted to the compute type as
  ///   they are read, and not kept in float32.
  /// - Throws: `Failure` with `.badData` naming the damaged tensor, also where a weight is NaN or infinite.
  public func load(
    device: Device = .cpu, computeType: DType = .float32, isFrozen: Bool = false
  ) throws -> LanguageModel {
    let parameters = try parameters { parameter, tensor in
      guard tensor.allFinite().item == 1 else {
        throw Failure(.badData, "not all numbers of the weight \(parameter.name) are finite", at: path)
      }
      return isFrozen && parameter.isFactor ? tensor.to(computeType) : tensor
    }
    return LanguageModel(
      configuration, parameters: parameters, device: device, computeType: computeType, isFrozen: isFrozen)
  }

  /// The path from which `Tokenizer(path:)` reads the model's vocabulary.
  public var tokenizerPath: String { path }
}
