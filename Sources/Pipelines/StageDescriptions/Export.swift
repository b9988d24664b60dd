import Artifacts
import Configuration

/// The settings of `tempnet-export`.
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
    /// One file for llama.cpp: a model, a TempNet alone, or a model's file with the TempNet in its metadata.
    case gguf

    /// The inputs that the format takes.
    public var inputs: [String] {
      switch self {
      case .huggingface: ["model"]
      case .gguf: ["tempnet", "evaluation", "model"]
      case .safetensors, .npz: ["tempnet"]
      case .bundle: ["tempnet", "evaluation"]
      case .onnx: ["tempnet", "features"]
      }
    }
  }
  /// Which of the published classes loads the safetensors file.
  public enum Variant: String, CaseIterable, Sendable {
    /// The one for training: float32, a scaler of rank 0.
    case training
    /// The one for inference: half precision, a scaler of one element.
    case inference
  }
  public var format: Format
  public var variant: Variant

  public init(reading reader: inout ConfigurationReader) throws {
    format = try reader.choice("format", default: .bundle, help: "what to write")
    variant = try reader.choice(
      "variant", default: .training,
      help: "of safetensors: for the published class for training, or for inference (half precision)")
    if variant == .inference && format != .safetensors {
      throw reader.failure("variant", with: ["format"], "inference is for the format safetensors")
    }
  }
}

/// Writes a TempNet or a model in the form of another tool.
public enum Export: StageDescription {
  public static let name = "export"
  public static let summary =
    "Writes a TempNet with its measured results, or a language model, in a form that other tools read."
  public static let version = 6
  public static let output = ArtifactKind.export
  public static let inputs = [
    StageInput("tempnet", .tempnet, or: [.model, .dualEncoder], isRequired: false),
    StageInput("evaluation", .evaluation, isRequired: false),
    StageInput("features", .features, isRequired: false),
    StageInput("model", .model, or: [.dualEncoder], isRequired: false, takesPublishedModels: true),
  ]
  public typealias Configuration = ExportConfiguration

  public static func problem(_ configuration: ExportConfiguration, withInputs given: Set<String>) -> String? {
    let format = configuration.format
    // These are formats of a dual encoder. The stage refuses other models.
    if given == ["model"] && [.safetensors, .onnx].contains(format) { return nil }
    let takes = "the format \(format.rawValue) takes \(format.inputs.joined(separator: ", "))"
    if let other = given.subtracting(format.inputs).min() { return "\(takes), not \(other)" }
    guard given.contains(format.inputs[0]) || format == .gguf && given == ["model"] else {
      return "\(takes), and needs \(format.inputs[0])"
    }
    return nil
  }
}
