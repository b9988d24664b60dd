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
  /// With initial weights.
  let encoder: DualEncoder
  /// Of the artifact, for messages.
  let path: String

  init(_ request: StageRequest<Contrast>, _ resolution: Resolution) throws {
    if let pairs = request.inputs.optionalArtifact("pairs") {
      try self.init(PairsArtifact(pairs), request.configuration, resolution)
    } else {
      try self.init(EmbeddingsArtifact(request.inputs.artifact("embeddings")), request.configuration, resolution)
    }
  }

  private init(
    _ embeddings: EmbeddingsArtifact, _ configuration: ContrastConfiguration, _ resolution: Resolution
  ) throws {
    (table, path) = (embeddings.table, embeddings.path)
    inputs = try EmbeddedPairs(embeddings, usesCopies: configuration.usesCopies, device: resolution.device)
    let (description, heads) = (embeddings.description, configuration.heads)
    encoder = configuration.encoder(
      .heads(
        HeadsConfiguration(
          image: description.image, text: description.text, hidden: heads.hidden, embed: heads.embed,
          dropout: heads.dropout)), device: resolution.device)
  }

  private init(
    _ pairs: PairsArtifact, _ configuration: ContrastConfiguration, _ resolution: Resolution
  ) throws {
    (table, path) = (pairs.table, pairs.path)
    let towers = configuration.towers
    let tokenizer = try Self.tokenizer(pairs.table, configuration, threads: resolution.threads)
    let description = try TowersConfiguration(
      vision: towers.image,
      text: TowersConfiguration.Text(
        vocabulary: tokenizer.vocabularySize, context: tokenizer.context, width: towers.text.width,
        layers: towers.text.layers, heads: towers.text.heads), embed: towers.embed, dropout: towers.dropout,
      mean: PictureTransform.clipMean, deviation: PictureTransform.clipDeviation)
    encoder = configuration.encoder(.towers(description), tokenizer, device: resolution.device)
    guard let transform = encoder.transform else { preconditionFailure("encoders of their own read pictures") }
    inputs = PicturePairs(
      pairs, transform: transform, tokenizer: tokenizer, configuration.augmentation, seed: configuration.seed,
      device: resolution.device)
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
