import EncoderDescriptions
import ImageTextModels
import Torch

/// The two encoders of a dual encoder with towers of its own as ONNX models.
struct ClipOnnx {
  private let configuration: TowersConfiguration
  private let weights: TowerTensors

  init(_ configuration: TowersConfiguration, _ weights: TowerTensors) {
    (self.configuration, self.weights) = (configuration, weights)
  }

  /// From `pixel_values` [rows, 3, S, S], as the preprocessing's settings say, to `image_embeds` [rows, embed].
  func visionGraph() -> OnnxGraph {
    var graph = OnnxGraph()
    let (sizes, patch) = (configuration.vision, configuration.vision.patch)
    let pixels = graph.input("pixel_values", [.rows, .fixed(3), .fixed(sizes.size), .fixed(sizes.size)])
    let patches = graph.apply(
      "Conv", pixels, graph.constant(weights["visual.conv1.weight"]),
      attributes: [("strides", .integers([patch, patch]))])
    let listed = graph.permuted(graph.reshaped(patches, [0, sizes.width, -1]), [0, 2, 1])
    // A row of zeros for the class token, which stands with the first position.
    let padded = graph.apply("Pad", listed, graph.axes([0, 1, 0, 0, 0, 0]))
    let table = weights["visual.positional_embedding"]
    let first = (table[0] + weights["visual.class_embedding"]).unsqueezed(0)
    let positions = graph.constant(.concatenate([first, table[1..<sizes.positions]]))
    var states = graph.normalised(
      graph.apply("Add", padded, positions), weights.norm("visual.ln_pre", sizes.block.normEpsilon))
    for layer in 0..<sizes.layers {
      states = graph.transformed(
        states, by: weights.block("visual.transformer.resblocks.\(layer)", heads: sizes.heads, sizes.block))
    }
    let read = graph.normalised(
      graph.selected(states, axis: 1, at: 0), weights.norm("visual.ln_post", sizes.block.normEpsilon))
    let rows = graph.apply("MatMul", read, graph.constant(weights["visual.proj"]))
    graph.output(graph.unitRows(rows), "image_embeds", columns: configuration.embed)
    return graph
  }

  /// From `input_ids` [rows, tokens], which end with the end mark and may be padded with it, to `text_embeds`
  /// [rows, embed].
  func textGraph() -> OnnxGraph {
    var graph = OnnxGraph()
    let sizes = configuration.text
    let ids = graph.input("input_ids", [.rows, .open("tokens")], .int64)
    let length = graph.length(ids, axis: 1)
    let tokens = graph.apply("Gather", graph.constant(weights["token_embedding.weight"]), ids)
    let positions = graph.first(length, of: graph.constant(weights["positional_embedding"]))
    let mask = causalMask(length, &graph)
    var states = graph.apply("Add", tokens, positions)
    for layer in 0..<sizes.layers {
      states = graph.transformed(
        states, by: weights.block("transformer.resblocks.\(layer)", heads: sizes.heads, sizes.block), mask: mask)
    }
    // The first of the greatest ids, as in open_clip. ONNX Runtime has no ArgMax of int64 for every device.
    let small = graph.apply("Cast", ids, attributes: [("to", .integer(OnnxGraph.Element.int32.rawValue))])
    let ends = graph.apply("ArgMax", small, attributes: [("axis", .integer(1)), ("keepdims", .integer(1))])
    let read = graph.apply("GatherND", states, ends, attributes: [("batch_dims", .integer(1))])
    let rows = graph.apply(
      "MatMul", graph.normalised(read, weights.norm("ln_final", sizes.block.normEpsilon)),
      graph.constant(weights["text_projection"]))
    graph.output(graph.unitRows(rows), "text_embeds", columns: configuration.embed)
    return graph
  }

  /// [T, T]: a position sees itself and those before it.
  private func causalMask(_ length: OnnxGraph.Value, _ graph: inout OnnxGraph) -> OnnxGraph.Value {
    let context = configuration.text.context
    let numbers = (0..<context * context).map { $0 % context > $0 / context ? -Float.infinity : 0 }
    let both = graph.apply("Concat", length, length, attributes: [("axis", .integer(0))])
    return graph.apply(
      "Slice", graph.constant(numbers, [context, context]), graph.axes([0, 0]), both, graph.axes([0, 1]))
  }
}
