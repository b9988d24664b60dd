import Artifacts
import Configuration

/// What `tempnet-export` writes.
public struct ExportConfiguration: StageConfiguration {
  public enum Format: String, CaseIterable, Sendable {
    /// The weights under their published names, every setting in the metadata.
    case safetensors
    /// A `.tar.zst` with the weights, their settings, a model card and a Python module that applies them.
    case bundle
    /// An ONNX model from logits to temperatures; with the features of the fit another from hidden states.
    case onnx
    /// NumPy's archive of arrays, with the settings as JSON.
    case npz
    /// A folder that Hugging Face's `transformers` loads: the model's weights, configuration and tokenizer.
    case huggingface
    /// The same as one file for llama.cpp.
    case gguf

    /// Whether it is a language model that is written, rather than a TempNet.
    public var isOfModel: Bool { self == .huggingface || self == .gguf }
  }
  public var format: Format

  public init(reading reader: inout ConfigurationReader) throws {
    format = try reader.choice("format", default: .bundle, help: "what to write")
  }
}

/// A TempNet, or a language model, in the form that other tools take.
public enum Export: StageDescription {
  public static let name = "export"
  public static let summary =
    "Writes a TempNet, with what was measured of it, or a language model in a form that other tools read."
  public static let version = 1
  public static let output = ArtifactKind.export
  public static let inputs = [
    StageInput("tempnet", .tempnet, isRequired: false), StageInput("evaluation", .evaluation, isRequired: false),
    StageInput("features", .features, isRequired: false), StageInput("model", .model, isRequired: false),
  ]
  public typealias Configuration = ExportConfiguration
}
