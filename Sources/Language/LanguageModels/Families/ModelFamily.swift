import Diagnostics
import JSON
import ModelDescriptions
import ModelFiles
import Torch
import Weights

/// The mapping from published models of one architecture, in Hugging Face's form and in GGUF, to `ModelConfiguration` and its
/// parameters.
public struct ModelFamily: Sendable {
  typealias Source = WeightLayout.Source

  /// The values of `model_type` that this family reads.
  public let modelTypes: [String]
  /// Reads the members of a `config.json`; refuses unsupported ones by name.
  let readConfiguration: @Sendable (_ fields: inout JSONFields, _ source: String) throws -> ModelConfiguration
  let layout: WeightLayout
  /// The values of `general.architecture` that this family reads, with the layout of such files.
  let gguf: [String: WeightLayout]
  /// Reads the metadata of a GGUF file.
  let readMetadata: @Sendable (_ fields: inout GGUFFields) throws -> ModelConfiguration

  public static let all = [gpt2, neox, llama]
}

extension ModelFamily {
  /// The family and configuration that a `config.json` of Hugging Face's form describes.
  ///
  /// - Throws: `Failure` with `.badData`, naming what is not supported.
  public static func read(_ json: JSON, source: String) throws -> (family: ModelFamily, ModelConfiguration) {
    var fields = try JSONFields(json, source: source)
    let type = try fields.string("model_type")
    guard let family = all.first(where: { $0.modelTypes.contains(type) }) else {
      let known = all.flatMap(\.modelTypes).joined(separator: ", ")
      throw fields.failure("model_type", "is \"\(type)\"; supported are \(known)")
    }
    if let quantisation = fields.optional("quantization_config"), !quantisation.isNull {
      throw fields.failure("quantization_config", "is not supported; supported are F32, F16 and BF16")
    }
    return (family, try family.readConfiguration(&fields, source))
  }

  /// Our parameters in float32, made of a file's tensors.
  ///
  /// - Throws: `Failure` with `.badData` unless every tensor needed is there with its shape, and no other.
  public func parameters(_ configuration: ModelConfiguration, from file: SafetensorsFile) throws -> [NamedTensor] {
    try layout.parameters(configuration, from: file)
  }
}
