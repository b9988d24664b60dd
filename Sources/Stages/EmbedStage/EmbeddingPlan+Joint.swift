import Artifacts
import Diagnostics
import EncoderDescriptions
import ImageTextModels
import Pairs
import StageDescriptions
import Torch

extension EmbeddingPlan {
  /// Through a trained model: one space for both sides.
  static func joint(_ request: StageRequest<Embed>, _ model: Artifact, _ resolution: Resolution) throws -> EmbeddingPlan
  {
    let encoder = try DualEncoder.read(model, device: resolution.device)
    switch encoder.configuration {
    case .heads(let heads):
      guard let given = request.inputs.optionalArtifact("embeddings") else {
        throw Failure(
          .badData, "has heads, which read embeddings of frozen towers; give --embeddings in place of --pairs",
          at: model.path)
      }
      let embeddings = try EmbeddingsArtifact(given)
      try embeddings.check(towersOf: heads, of: model.path)
      return through(encoder, model, embeddings, request.configuration.batch, resolution)
    case .towers(let towers):
      guard let given = request.inputs.optionalArtifact("pairs") else {
        throw Failure(
          .badData, "has encoders of its own, which read pictures and captions; give --pairs in place of --embeddings",
          at: model.path)
      }
      return try through(encoder, towers, model, PairsArtifact(given), request.configuration, resolution)
    }
  }

  private static func through(
    _ encoder: DualEncoder, _ model: Artifact, _ embeddings: EmbeddingsArtifact, _ batch: Int, _ resolution: Resolution
  ) -> EmbeddingPlan {
    func part(
      _ tensor: EmbeddingsWriter.Part, _ rows: [[Int]], _ source: Tensor, unit: String,
      _ encode: @escaping (Tensor) -> Tensor
    ) -> EmbeddingPart {
      EmbeddingPart(tensor: tensor, rows: rows, batch: batch, unit: unit) { items in
        encode(source.selected(0, indices: Tensor(rows[items].map { $0[0] })).to(resolution.device)).to(.cpu)
      }
    }
    let (table, description) = (embeddings.table, embeddings.description)
    let texts = { encoder.texts($0, computeType: resolution.computeType) }
    var parts = [
      part(.image, table.picturesByGroup, embeddings.image, unit: "pictures") {
        encoder.images($0, computeType: resolution.computeType)
      },
      part(.text, table.captionsByGroup, embeddings.text, unit: "captions", texts),
    ]
    if let classText = embeddings.classText {
      parts.append(part(.classText, (0..<classText.size(0)).map { [$0] }, classText, unit: "prompts", texts))
    }
    return EmbeddingPlan(
      table: table,
      description: EmbeddingsDescription(
        .joint(encoder.scale), image: description.image.projected(to: encoder.embed),
        text: description.text.projected(to: encoder.embed), prompts: description.prompts, model: EncoderRecord(model)),
      parts: parts)
  }

  private static func through(
    _ encoder: DualEncoder, _ towers: TowersConfiguration, _ model: Artifact, _ pairs: PairsArtifact,
    _ configuration: EmbedConfiguration, _ resolution: Resolution
  ) throws -> EmbeddingPlan {
    guard let transform = encoder.transform, let tokenizer = encoder.captionTokenizer else {
      preconditionFailure("encoders of this form read pictures and captions")
    }
    let (table, rows) = (pairs.table, pairs.table.picturesByGroup)
    let prompts = try table.prompts(configuration)
    let texts = TextEmbedding(batch: configuration.batch, tokens: tokenizer.encode) { captions in
      encoder.texts(CaptionTokenizer.padded(captions).to(resolution.device), computeType: resolution.computeType)
        .to(.cpu)
    }
    let images = EmbeddingPart(tensor: .image, rows: rows, batch: configuration.batch, unit: "pictures") { items in
      let pictures = transform(pairs.pixels(rows[items].map { $0[0] }), side: pairs.size)
      return encoder.images(pictures.to(resolution.device), computeType: resolution.computeType).to(.cpu)
    }
    let digest = model.digest(of: DualEncoder.weightsFile)
    return EmbeddingPlan(
      table: table,
      description: EmbeddingsDescription(
        .joint(encoder.scale),
        image: TowerRecord("vit", digest: digest, size: towers.vision.size, width: encoder.embed),
        text: TowerRecord("transformer", digest: digest, width: encoder.embed), prompts: prompts,
        model: EncoderRecord(model)),
      parts: [images, texts.captions(table)] + (prompts.map { [texts.prompts($0)] } ?? []))
  }
}

extension EncoderRecord {
  fileprivate init(_ model: Artifact) { self.init(key: model.key, configuration: model.manifest.configuration) }
}
