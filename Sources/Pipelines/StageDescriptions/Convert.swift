import Artifacts
import Configuration
import Diagnostics
import EncoderDescriptions

/// Which CLIP `tempnet-convert` reads, and what its files do not say.
public struct ConvertConfiguration: StageConfiguration {
  /// A folder of open_clip or transformers, or a state dict.
  public var weights: String
  /// open_clip's configuration for a state dict; nil for the folder's own, or none.
  public var config: String?
  /// A vocabulary in place of the folder's.
  public var tokenizer: String?
  /// Of a state dict without a configuration.
  public var activation: TowersConfiguration.Activation?

  public init(reading reader: inout ConfigurationReader) throws {
    weights = try reader.value(
      "weights", as: .path, default: nil, identity: false,
      help: "a folder of open_clip or of transformers' CLIPModel, or a state dict: .safetensors, .pt or .bin")
    config = try reader.optionalPath("config", help: "open_clip's configuration of a state dict")
    tokenizer = try reader.optionalPath(
      "tokenizer",
      help:
        "vocabulary in place of the folder's: tokenizer.json, vocab.json beside merges.txt, or bpe_simple_vocab_16e6.txt.gz"
    )
    activation = try reader.value(
      "activation", as: .optional(.choice()), default: .some(nil),
      help: "of a state dict without a configuration, which does not say it: gelu or quick_gelu")
  }

  /// - Throws: `Failure` with `.missingInput` for a file that is not there, `.badData` for a folder of another kind.
  public func files() throws -> PublishedEncoderFiles {
    try PublishedEncoderFiles(weights, configuration: config, tokenizer: tokenizer)
  }
}

/// A CLIP that was trained elsewhere as a `dual-encoder` artifact.
public enum Convert: StageDescription {
  public static let name = "convert"
  public static let summary =
    "Makes an artifact of a CLIP of open_clip or transformers, to embed with it or to train it further."
  public static let version = 1
  public static let output = ArtifactKind.dualEncoder
  public static let inputs: [StageInput] = []
  public typealias Configuration = ConvertConfiguration

  public static func rawInputs(_ configuration: ConvertConfiguration) throws -> [RawInput] {
    try configuration.files().all.map { RawInput("model/\($0.name)", path: $0.path) }
  }
}
