import Diagnostics
import EncoderDescriptions
import Files
import JSON
import Pictures
import Tokenization
import Torch
import Weights

/// A pretrained network that turns pictures into embeddings and is not trained further.
public struct FrozenImageTower: Sendable {
  package let network: EfficientNet
  /// How stored pictures become the network's input.
  public let transform: PictureTransform
  private let device: Device

  /// Reads a folder with `config.json` and `model.safetensors`: EfficientNet-Lite, as `data/efficientnet-lite0.yaml`
  /// describes it.
  ///
  /// - Parameter size: of a picture's sides in pixels, as the network reads it.
  /// - Throws: `Failure(.missingInput)` for a file that is not there, `.badData` for another network or a damaged file.
  public init(_ folder: String, size: Int, device: Device) throws {
    let (json, path) = try configuration(folder)
    let type = json["model_type"]?.stringValue ?? "nothing"
    guard type == EfficientNetConfiguration.modelType else {
      throw Failure(
        .badData,
        "states the model type \(type); image towers are of the type \(EfficientNetConfiguration.modelType)", at: path)
    }
    let configuration = try EfficientNetConfiguration(json, source: path)
    network = try EfficientNet(configuration, SafetensorsFile("\(folder)/\(TowerFiles.weights)"), device: device)
    transform = PictureTransform(
      size: size, mean: Array(repeating: configuration.pixelMean / 255, count: 3),
      deviation: Array(repeating: configuration.pixelScale / 255, count: 3))
    self.device = device
  }

  /// - Parameter digest: of the tower's files.
  public func record(digest: String) -> TowerRecord {
    TowerRecord(network.configuration.name, digest: digest, size: transform.size, width: network.configuration.width)
  }

  /// Embeddings, float32 [B, width] on the CPU, of pictures that ``transform`` gave, float32 [B, 3, size, size].
  public func callAsFunction(_ pictures: Tensor) -> Tensor { network(pictures.to(device)).to(.cpu) }
}

/// A pretrained network that turns texts into embeddings and is not trained further.
public struct FrozenTextTower: Sendable {
  package let network: SentenceEncoder
  private let tokenizer: WordPieceTokenizer
  /// The most tokens that it reads of a text, with the marks around it.
  public let limit: Int

  /// Reads a folder with `config.json`, `model.safetensors` and `tokenizer.json`: a BERT for sentences with a WordPiece
  /// vocabulary, as `data/minilm.yaml` describes it.
  ///
  /// - Parameter limit: the most tokens of a text; nil for as many as the tokenizer's file states.
  /// - Throws: `Failure(.missingInput)` for a file that is not there, `.badData` for another network or a damaged file,
  ///   `.badConfiguration` for a limit beyond the network's context.
  public init(_ folder: String, limit: Int?, device: Device, computeType: DType) throws {
    let (json, path) = try configuration(folder)
    let configuration = try SentenceEncoderConfiguration(json, source: path)
    let tokenizerPath = "\(folder)/\(TowerFiles.tokenizer)"
    tokenizer = try WordPieceTokenizer(path: tokenizerPath)
    guard tokenizer.vocabularySize <= configuration.vocabulary else {
      throw Failure(
        .badData,
        "has \(tokenizer.vocabularySize) tokens, but the network has embeddings of \(configuration.vocabulary)",
        at: tokenizerPath)
    }
    let most = limit ?? min(tokenizer.statedLimit ?? configuration.context, configuration.context)
    guard most > tokenizer.markCount, most <= configuration.context else {
      throw Failure(
        .badConfiguration,
        "text_tokens is \(most), expected \(tokenizer.markCount + 1) to \(configuration.context)", at: "text_tokens")
    }
    self.limit = most
    network = try SentenceEncoder(
      configuration, SafetensorsFile("\(folder)/\(TowerFiles.weights)"), device: device, computeType: computeType)
  }

  /// - Parameter digest: of the tower's files.
  public func record(digest: String) -> TowerRecord {
    TowerRecord(network.configuration.name, digest: digest, width: network.configuration.width)
  }

  /// The ids of a text with the marks around it, at most ``limit``.
  public func tokens(of text: String) -> [Int32] { tokenizer.encode(text, limit: limit) }

  /// Embeddings, float32 [B, width] on the CPU, of texts of at least one token.
  public func callAsFunction(_ texts: [[Int32]]) -> Tensor { network(texts).to(.cpu) }
}

private func configuration(_ folder: String) throws -> (JSON, path: String) {
  let path = "\(folder)/\(TowerFiles.configuration)"
  return (try JSON(parsing: Files.read(path, limit: 1 << 20), source: path), path)
}
