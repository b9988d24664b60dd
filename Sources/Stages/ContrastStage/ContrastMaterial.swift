import Diagnostics
import EncoderDescriptions
import Glibc
import ImageTextModels
import Pairs
import Pictures
import StageDescriptions
import Torch

/// What a run trains, and what it reads: heads on embeddings, or encoders of their own on pairs.
struct ContrastMaterial {
  let table: PairTable
  let inputs: any EncoderInputs
  /// With initial weights, or those of a trained model.
  let encoder: DualEncoder
  /// Of the artifact, for messages.
  let path: String

  private typealias Model = (path: String, encoder: DualEncoder)

  init(_ request: StageRequest<Contrast>, _ resolution: Resolution) throws {
    let model = try request.inputs.optionalArtifact("model").map {
      (path: $0.path, encoder: try DualEncoder.read($0, device: resolution.device))
    }
    model?.encoder.setScale(request.configuration)
    if let pairs = request.inputs.optionalArtifact("pairs") {
      try self.init(PairsArtifact(pairs), model, request.configuration, resolution)
    } else {
      try self.init(
        EmbeddingsArtifact(request.inputs.artifact("embeddings")), model, request.configuration, resolution)
    }
  }

  private init(
    _ embeddings: EmbeddingsArtifact, _ model: Model?, _ configuration: ContrastConfiguration,
    _ resolution: Resolution
  ) throws {
    (table, path) = (embeddings.table, embeddings.path)
    inputs = try EmbeddedPairs(embeddings, usesCopies: configuration.usesCopies, device: resolution.device)
    if let model {
      guard case .heads(let heads) = model.encoder.configuration else {
        throw Failure(
          .badData, "has encoders of its own, which read pictures and captions; give --pairs in place of --embeddings",
          at: model.path)
      }
      try embeddings.check(towersOf: heads, of: model.path)
      encoder = model.encoder
      return
    }
    let (description, heads) = (embeddings.description, configuration.heads)
    encoder = configuration.encoder(
      .heads(
        HeadsConfiguration(
          image: description.image, text: description.text, hidden: heads.hidden, embed: heads.embed,
          dropout: heads.dropout)), device: resolution.device)
  }

  private init(
    _ pairs: PairsArtifact, _ model: Model?, _ configuration: ContrastConfiguration, _ resolution: Resolution
  ) throws {
    (table, path) = (pairs.table, pairs.path)
    encoder = try model.map { $0.encoder } ?? Self.encoder(pairs.table, configuration, resolution)
    guard let transform = encoder.transform, let tokenizer = encoder.captionTokenizer else {
      throw Failure(
        .badData, "has heads, which read embeddings of frozen towers; give --embeddings in place of --pairs",
        at: model?.path ?? path)
    }
    inputs = PicturePairs(
      pairs, transform: transform, tokenizer: tokenizer, configuration.augmentation, seed: configuration.seed,
      device: resolution.device)
  }

  /// Encoders of the stated sizes with initial weights.
  private static func encoder(
    _ table: PairTable, _ configuration: ContrastConfiguration, _ resolution: Resolution
  ) throws -> DualEncoder {
    let towers = configuration.towers
    let tokenizer = try Self.tokenizer(table, configuration, threads: resolution.threads)
    let description = try TowersConfiguration(
      vision: towers.image,
      text: TowersConfiguration.Text(
        vocabulary: tokenizer.vocabularySize, context: tokenizer.context, width: towers.text.width,
        layers: towers.text.layers, heads: towers.text.heads), embed: towers.embed, dropout: towers.dropout,
      mean: PictureTransform.clipMean, deviation: PictureTransform.clipDeviation)
    return configuration.encoder(.towers(description), tokenizer, device: resolution.device)
  }

  /// The one that is given, or one learnt from the training captions. Learning takes so little time that a run which is
  /// continued does it again.
  private static func tokenizer(
    _ table: PairTable, _ configuration: ContrastConfiguration, threads: Int
  ) throws -> CaptionTokenizer {
    let text = configuration.towers.text
    if let path = text.tokenizer { return try CaptionTokenizer(path: path, context: text.context) }
    let captions = table.captions(of: .train, isFirstOnly: configuration.captions == .titles)
    let tokenizer = try CaptionTokenizer.learned(
      from: captions.lazy.map { table.captions[$0].text }, size: text.vocabulary, context: text.context,
      threads: threads)
    Log.note("learnt a vocabulary of \(tokenizer.vocabularySize) entries from \(counted(captions.count, "caption"))")
    return tokenizer
  }
}

extension ContrastConfiguration {
  fileprivate func encoder(
    _ description: DualEncoderConfiguration, _ tokenizer: CaptionTokenizer? = nil, device: Device
  ) -> DualEncoder {
    DualEncoder(
      description, seed: UInt64(seed), scale: LogitScale(1 / temperature, from: loss.learnsScale ? .learned : .fixed),
      captionTokenizer: tokenizer, device: device)
  }
}

extension DualEncoder {
  /// A learned scale goes on from the model's own; a fixed temperature takes its place.
  fileprivate func setScale(_ configuration: ContrastConfiguration) {
    scaleOrigin = configuration.loss.learnsScale ? .learned : .fixed
    guard !configuration.loss.learnsScale else { return }
    logitScale.copy(from: Tensor(scalar: Float(-log(configuration.temperature))).to(device))
  }
}
