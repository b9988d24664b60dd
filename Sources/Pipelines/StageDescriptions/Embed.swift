import Artifacts
import Configuration
import Diagnostics
import EncoderDescriptions
import Files
import TrainingOptions

/// The settings of `tempnet-embed`.
public struct EmbedConfiguration: StageConfiguration {
  /// Folders of the frozen towers; nil where a trained model or ready-made rows take their place.
  public var imageTower: String?
  public var textTower: String?
  /// Of a picture's sides as the image tower reads it; nil for the size that the pairs are stored in.
  public var imageSize: Int?
  /// The most tokens of a caption, with the marks around it; nil for as many as the tower's tokenizer states.
  public var textTokens: Int?
  /// Words for classes in prompts, by their names in the pairs.
  public var classes: [Named<String>]
  public var templates: [String]
  /// Augmented copies of each training picture.
  public var copies: Int
  /// The least share of a picture's area that a copy shows.
  public var cropArea: Double
  /// The probability that a copy is mirrored.
  public var mirrored: Double
  public var seed: Int
  /// Pictures or captions embedded at once.
  public var batch: Int
  /// Files of embeddings made elsewhere: of pictures, of captions, and optionally of the picture of each caption.
  public var npy: [String]
  /// The factor between similarities and logits of ready-made rows; nil for spaces apart.
  public var scale: Double?
  /// The shares of the pictures of ready-made rows to validate and to test on.
  public var validation: Double
  public var test: Double
  public var compute: ComputeOptions

  public init(reading reader: inout ConfigurationReader) throws {
    imageTower = try reader.optionalPath("image_tower", help: "folder of a frozen tower for pictures")
    textTower = try reader.optionalPath("text_tower", help: "folder of a frozen tower for captions")
    imageSize = try reader.integerOrAuto(
      "image_size", in: 8...4096, help: "sides of the pictures that the tower reads, in pixels; auto as in the pairs")
    textTokens = try reader.integerOrAuto(
      "text_tokens", in: 1...1 << 20, help: "most tokens of a caption; auto as the tower's tokenizer states")
    classes = try reader.value(
      "classes", as: .named(.string), default: [], help: "words for classes of the pairs in prompts; else their names")
    templates = try reader.value(
      "templates", as: .list(of: .template, atLeast: 1), default: ["a picture of {}"],
      help: "sentences around a class for zero-shot classification, with {} or {c} for its words, or sets of them: "
        + PromptTemplates.names.joined(separator: ", "))
    copies = try reader.integer(
      "copies", default: 0, in: 0...1024, help: "augmented copies of each training picture to embed besides")
    cropArea = try reader.number(
      "crop_area", default: 0.5, in: .positive(upTo: 1), help: "least share of a picture's area that a copy shows")
    mirrored = try reader.number("mirrored", default: 0.5, in: 0...1, help: "probability that a copy is mirrored")
    seed = try reader.integer("seed", default: 0, in: 0...Int.max, help: "of the copies")
    batch = try reader.integer("batch", default: 64, in: 1...1 << 16, help: "pictures or captions embedded at once")
    npy = try reader.paths(
      "npy", default: [],
      help: "embeddings made elsewhere: .npy of pictures, of captions, and of each caption's picture")
    scale = try reader.optionalNumber(
      "scale", in: .positive(upTo: 1e6),
      help: "factor from similarities to logits of such rows, which makes one space of both")
    validation = try reader.number(
      "validation", default: 0.1, in: 0...1, help: "share of such rows' pictures to validate on")
    test = try reader.number("test", default: 0.1, in: 0...1, help: "and to test on")
    compute = try reader.computeOptions()
    try check(reader)
  }

  private func check(_ reader: ConfigurationReader) throws {
    if (imageTower == nil) != (textTower == nil) {
      throw reader.failure(
        imageTower == nil ? "image_tower" : "text_tower", with: ["image_tower", "text_tower"],
        "is missing: a tower is needed for each side")
    }
    if copies > 0 && imageTower == nil { throw reader.failure("copies", "needs an image_tower") }
    guard npy.isEmpty else {
      guard (2...3).contains(npy.count) else {
        throw reader.failure("npy", "must name two or three files: of pictures, of captions, of each caption's picture")
      }
      if imageTower != nil { throw reader.failure("npy", with: ["image_tower"], "takes the place of the towers") }
      if validation + test > 1 {
        throw reader.failure("test", with: ["validation"], "and validation together must not exceed 1")
      }
      return
    }
    if let key = ["scale", "validation", "test"].first(where: reader.isGiven) {
      throw reader.failure(key, "is for embeddings made elsewhere, which npy names")
    }
  }
}

extension ConfigurationType<String> {
  private static func isTemplate(_ text: String) -> Bool {
    text.contains("{}") || text.contains("{c}") || PromptTemplates.named(text) != nil
  }

  /// A sentence with a place for the words of a class, or the name of a set.
  fileprivate static var template: Self {
    Self(
      "a sentence with {} or {c} for the class, or one of \(PromptTemplates.names.joined(separator: ", "))",
      specimen: "{}",
      decode: { node in
        node.isNull ? nil : node.scalar.flatMap { isTemplate($0.text) ? $0.text : nil }
      }, encode: { .string($0) })
  }
}

/// Pictures and captions to embeddings.
public enum Embed: StageDescription {
  public static let name = "embed"
  public static let summary =
    "Runs frozen towers over pairs, or trained heads over embeddings, once, and keeps a row for each picture and caption."
  public static let version = 1
  public static let output = ArtifactKind.embeddings
  public static let inputs = [
    StageInput("pairs", .pairs, isRequired: false), StageInput("embeddings", .embeddings, isRequired: false),
    StageInput("model", .dualEncoder, isRequired: false),
  ]
  public typealias Configuration = EmbedConfiguration

  public static func problem(_ configuration: EmbedConfiguration, withInputs given: Set<String>) -> String? {
    let hasTowers = configuration.imageTower != nil
    switch (given.sorted(), configuration.npy.isEmpty) {
    case ([], false): return nil
    case (_, false): return "embeddings made elsewhere stand alone: leave out \(given.sorted().joined(separator: ", "))"
    case (["pairs"], _):
      return hasTowers ? nil : "pairs need the settings image_tower and text_tower, or a trained model (--model)"
    case (["embeddings", "model"], _), (["model", "pairs"], _):
      return hasTowers ? "the model takes the place of image_tower and text_tower" : nil
    default:
      return "give pairs with towers, pairs with a model, embeddings with a model, or embeddings made elsewhere"
    }
  }

  public static func rawInputs(_ configuration: EmbedConfiguration) throws -> [RawInput] {
    try FrozenTowerInputs.files(image: configuration.imageTower, text: configuration.textTower)
      + zip(["npy/images", "npy/texts", "npy/map"], configuration.npy).map { name, path in
        guard try Files.status(path) != nil else { throw Failure.missing("file", at: path) }
        return RawInput(name, path: path)
      }
  }

  /// Of towers their weights and the largest layer's activations of a batch, 384 bytes for each pixel (EfficientNet-Lite0);
  /// of a trained model and of rows made elsewhere these themselves. Pictures and rows are read and written piece by piece.
  public static func memory(
    _ configuration: EmbedConfiguration, inputs: [String: [PlannedInput]]
  ) -> MemoryEstimate? {
    let whole = ["embeddings", "model"].reduce(MemoryEstimate(MemoryEstimate.program)) { estimate, name in
      inputs[name].map { estimate.reading($0, name) } ?? estimate
    }
    let folders = [configuration.imageTower, configuration.textTower].compactMap { $0 }
    guard !folders.isEmpty else { return configuration.npy.isEmpty && inputs["pairs"] != nil ? nil : whole }
    let weights = folders.reduce(0) { $0 + ((try? Files.status("\($1)/model.safetensors"))?.size ?? 0) }
    let stored = inputs["pairs"]?.first?.configuration["size"]?.intValue
    guard let size = configuration.imageSize ?? stored else { return nil }
    return MemoryEstimate(whole.bytes + 2 * weights + configuration.batch * size * size * 384)
  }
}
