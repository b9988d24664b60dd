import Diagnostics
import EncoderDescriptions
import Files
import Glibc
import Pictures

/// A state dict without a configuration: sizes from the tensors' shapes, by the rules of OpenAI's `build_model`.
enum BareStateDict {
  static func configuration(
    _ weights: StateDict, _ reading: inout PublishedReading
  ) throws -> TowersConfiguration {
    guard let activation = reading.statements.activation else {
      throw Failure(
        .badData,
        "a state dict does not say its activation; state it: --set activation=quick_gelu for OpenAI's weights and those "
          + "of models named quickgelu, --set activation=gelu for others", at: weights.path)
    }
    let names = try OpenClipNames.form(of: weights)
    func shape(_ name: String, rank: Int) throws -> [Int] {
      let own = names.stored(name)
      guard let shape = weights.shape(own), shape.count == rank, shape.allSatisfy({ (1...1 << 21).contains($0) }) else {
        throw Failure(.badData, "holds no tensor \"\(own)\" of \(rank) dimensions, so it is no CLIP", at: weights.path)
      }
      return shape
    }
    let patches = try shape("visual.conv1.weight", rank: 4)
    let positions = try shape("visual.positional_embedding", rank: 2)[0]
    let side = Int(sqrt(Double(positions - 1)))
    guard side >= 1, side * side + 1 == positions, side * patches[3] <= 1 << 14 else {
      throw Failure(
        .badData, "has \(positions) positions, which are no square of patches and a class token",
        at: "\(weights.path), \"visual.positional_embedding\"")
    }
    let tokens = try shape("token_embedding.weight", rank: 2)
    let width = (image: patches[0], text: tokens[1])
    let inner = (
      image: try shape("visual.transformer.resblocks.0.mlp.c_fc.weight", rank: 2)[0],
      text: try shape("transformer.resblocks.0.mlp.c_fc.weight", rank: 2)[0]
    )
    for (side, width) in [("image", width.image), ("text", width.text)] where !width.isMultiple(of: 64) {
      throw Failure(
        .badData,
        "does not say how many heads the \(side) tower of width \(width) has: heads of 64, OpenAI's rule, do not divide it; "
          + "give a configuration (--set config=FILE)", at: weights.path)
    }
    reading.notes.append("\(Files.name(of: weights.path)) states no heads: taken as 64 wide, OpenAI's rule")
    reading.notes.append("\(Files.name(of: weights.path)) states no mean and deviation of pictures: taken as CLIP's")
    return try TowersConfiguration(
      vision: TowersConfiguration.Vision(
        size: side * patches[3], patch: patches[3], width: width.image,
        layers: layers("visual.transformer.resblocks.", names, weights), heads: width.image / 64,
        block: TowersConfiguration.Block(activation: activation, feedForward: inner.image)),
      text: TowersConfiguration.Text(
        vocabulary: tokens[0], context: try shape("positional_embedding", rank: 2)[0], width: width.text,
        layers: layers("transformer.resblocks.", names, weights), heads: width.text / 64,
        block: TowersConfiguration.Block(activation: activation, feedForward: inner.text)),
      embed: try shape("text_projection", rank: 2)[1], mean: PictureTransform.clipMean,
      deviation: PictureTransform.clipDeviation, status: .badData, at: weights.path)
  }

  private static func layers(_ prefix: String, _ names: TensorNames, _ weights: StateDict) -> Int {
    var count = 0
    while weights.has(names.stored("\(prefix)\(count).ln_1.weight")) { count += 1 }
    return max(1, count)
  }
}
