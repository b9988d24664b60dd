import Diagnostics
import EncoderDescriptions
import Files
import ImageTextModels
import Pairs
import Pictures
import RandomNumbers
import StageDescriptions
import Torch

extension EmbeddingPlan {
  /// Pairs through a frozen tower for each side: spaces apart.
  ///
  /// - Throws: `.badData` or `.missingInput` for what is wrong with pairs or towers, `.badConfiguration` for settings that
  ///   do not fit them.
  static func frozen(_ request: StageRequest<Embed>, _ resolution: Resolution) throws -> EmbeddingPlan {
    let configuration = request.configuration
    guard let imageFolder = configuration.imageTower, let textFolder = configuration.textTower else {
      preconditionFailure("pairs without towers are refused before")
    }
    let pairs = try PairsArtifact(request.inputs.artifact("pairs"))
    let image = try FrozenImageTower(
      imageFolder, size: configuration.imageSize ?? pairs.size, device: resolution.device)
    let text = try FrozenTextTower(
      textFolder, limit: configuration.textTokens, device: resolution.device, computeType: resolution.computeType)
    let prompts = try pairs.table.prompts(configuration)
    let texts = TextEmbedding(batch: configuration.batch, tokens: text.tokens) { text($0) }
    var parts = [images(pairs, image, configuration.batch)]
    if configuration.copies > 0 { parts.append(copies(pairs, image, configuration)) }
    parts.append(texts.captions(pairs.table))
    if let prompts { parts.append(texts.prompts(prompts)) }
    return EmbeddingPlan(
      table: pairs.table,
      description: EmbeddingsDescription(
        .apart, image: image.record(digest: request.digest(of: .image)),
        text: text.record(digest: request.digest(of: .text)), prompts: prompts),
      copies: configuration.copies, parts: parts)
  }

  private static func images(_ pairs: PairsArtifact, _ tower: FrozenImageTower, _ batch: Int) -> EmbeddingPart {
    let rows = pairs.table.picturesByGroup
    return EmbeddingPart(tensor: .image, rows: rows, batch: batch, unit: "pictures") { items in
      tower(tower.transform(pairs.pixels(rows[items].map { $0[0] }), side: pairs.size))
    }
  }

  /// What a copy shows is a function of (seed, copy, position).
  private static func copies(
    _ pairs: PairsArtifact, _ tower: FrozenImageTower, _ configuration: EmbedConfiguration
  ) -> EmbeddingPart {
    let pictures = pairs.table.pictures(of: .train)
    let count = pairs.table.pictures.count
    let rows = (0..<configuration.copies).flatMap { copy in pictures.map { [copy * count + $0] } }
    return EmbeddingPart(tensor: .imageCopies, rows: rows, batch: configuration.batch, unit: "copies") { items in
      let positions = items.map { pictures[$0 % pictures.count] }
      let augmentations = zip(items, positions).map { item, position in
        let seeds = [configuration.seed, item / pictures.count, position]
        return PictureAugmentation(
          drawnFor: pairs.size, area: configuration.cropArea...1, mirrored: configuration.mirrored,
          seed: seeds.reduce(0) { SplitMix64.mixed($0 ^ UInt64($1)) })
      }
      return tower(tower.transform(pairs.pixels(positions), side: pairs.size, augmentations))
    }
  }
}

/// Texts in batches, the shortest first, so that little of a batch is padding.
struct TextEmbedding {
  let batch: Int
  let tokens: (String) -> [Int32]
  let embed: ([[Int32]]) -> Tensor

  /// Each text once, however many captions it is.
  func captions(_ table: PairTable) -> EmbeddingPart {
    let groups = table.captionsByGroup
    return part(.text, groups, groups.map { tokens(table.captions[$0[0]].text) }, unit: "captions")
  }

  func prompts(_ prompts: EmbeddingsDescription.Prompts) -> EmbeddingPart {
    let sentences = prompts.sentences
    return part(.classText, sentences.indices.map { [$0] }, sentences.map(tokens), unit: "prompts")
  }

  private func part(
    _ tensor: EmbeddingsWriter.Part, _ rows: [[Int]], _ texts: [[Int32]], unit: String
  ) -> EmbeddingPart {
    let order = texts.indices.sorted { (texts[$0].count, $0) < (texts[$1].count, $1) }
    let embed = embed
    return EmbeddingPart(tensor: tensor, rows: order.map { rows[$0] }, batch: batch, unit: unit) { items in
      embed(order[items].map { texts[$0] })
    }
  }
}

extension PairTable {
  /// The texts of the classes; nil where there are none.
  ///
  /// - Throws: `.badConfiguration` for words for a class that there is not.
  func prompts(_ configuration: EmbedConfiguration) throws -> EmbeddingsDescription.Prompts? {
    for name in configuration.classes.map(\.name) where !classes.contains(name) {
      let hint = nearest(to: name, in: classes).map { "; there is '\($0)'" } ?? ""
      throw Failure(.badConfiguration, "names '\(name)', which is no class of the pairs\(hint)", at: "classes")
    }
    guard !classes.isEmpty else { return nil }
    let words = Dictionary(uniqueKeysWithValues: configuration.classes.map { ($0.name, $0.value) })
    return EmbeddingsDescription.Prompts(
      classes: classes.map { words[$0] ?? $0 }, templates: PromptTemplates.expanded(configuration.templates))
  }
}
