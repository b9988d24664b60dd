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
    /// A folder that open_clip loads, of a dual encoder with towers of its own.
    case openClip = "open_clip"
    /// One file for llama.cpp: a model, a TempNet alone, or a model's file with the TempNet in its metadata.
    case gguf

    /// The inputs that the format takes of a TempNet or a language model.
    public var inputs: [String] {
      switch self {
      case .huggingface, .openClip: ["model"]
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
  /// Folders of the frozen towers below a dual encoder's heads; nil to export the heads alone.
  public var imageTower: String?
  public var textTower: String?

  public init(reading reader: inout ConfigurationReader) throws {
    format = try reader.choice("format", default: .bundle, help: "what to write")
    variant = try reader.choice(
      "variant", default: .training,
      help: "of safetensors: for the published class for training, or for inference (half precision)")
    if variant == .inference && format != .safetensors {
      throw reader.failure("variant", with: ["format"], "inference is for the format safetensors")
    }
    imageTower = try reader.optionalPath(
      "image_tower", help: "folder of the frozen tower below a dual encoder's heads, to go into its ONNX models")
    textTower = try reader.optionalPath("text_tower", help: "likewise, of the captions' tower")
    for (key, other, isAlone) in [
      ("image_tower", "text_tower", imageTower != nil && textTower == nil),
      ("text_tower", "image_tower", imageTower == nil && textTower != nil),
    ] where isAlone {
      throw reader.failure(other, with: [key], "is missing: a tower is needed for each side")
    }
    if imageTower != nil && ![.onnx, .bundle].contains(format) {
      throw reader.failure("image_tower", with: ["format"], "is for the formats onnx and bundle")
    }
  }
}

/// Writes a TempNet or a model in the form of another tool.
public enum Export: StageDescription {
  public static let name = "export"
  public static let summary =
    "Writes a TempNet with its measured results, a language model or a dual encoder in a form that other tools read."
  public static let version = 7
  public static let output = ArtifactKind.export
  public static let inputs = [
    StageInput("tempnet", .tempnet, or: [.model, .dualEncoder], isRequired: false),
    StageInput("evaluation", .evaluation, or: [.retrieval], isRequired: false),
    StageInput("features", .features, isRequired: false),
    StageInput("model", .model, or: [.dualEncoder], isRequired: false, takesPublishedModels: true),
    StageInput("pairs", .pairs, isRequired: false),
  ]
  public typealias Configuration = ExportConfiguration

  /// What is made of a dual encoder takes other inputs, and a model's kind is not known here: the stage refuses other
  /// models.
  private static let ofDualEncoders: [ExportConfiguration.Format: Set<String>] = [
    .safetensors: ["model", "pairs"], .onnx: ["model", "pairs"], .huggingface: ["model", "pairs"],
    .openClip: ["model", "pairs"], .bundle: ["model", "pairs", "evaluation"],
  ]

  public static func problem(_ configuration: ExportConfiguration, withInputs given: Set<String>) -> String? {
    let format = configuration.format
    if configuration.imageTower != nil && !given.contains("model") {
      return "image_tower and text_tower go below the heads of a dual encoder (--model)"
    }
    if given.contains("model"), !given.contains("tempnet"), let taken = ofDualEncoders[format],
      given.isSubset(of: taken)
    {
      return nil
    }
    let takes = "the format \(format.rawValue) takes \(format.inputs.joined(separator: ", "))"
    if let other = given.subtracting(format.inputs).min() { return "\(takes), not \(other)" }
    guard given.contains(format.inputs[0]) || format == .gguf && given == ["model"] else {
      return "\(takes), and needs \(format.inputs[0])"
    }
    return nil
  }

  public static func rawInputs(_ configuration: ExportConfiguration) throws -> [RawInput] {
    try FrozenTowerInputs.files(image: configuration.imageTower, text: configuration.textTower)
  }
}
