import ImageTextModels
import Torch

/// A frozen tower with the head on it as an ONNX model.
extension OnnxGraph {
  /// From `pixel_values` [rows, 3, S, S] through an EfficientNet to `image_embeds`.
  static func encoder(_ tower: FrozenImageTower, _ head: EncoderHead) -> OnnxGraph {
    var graph = OnnxGraph()
    let size = tower.transform.size
    let pixels = graph.input("pixel_values", [.rows, .fixed(3), .fixed(size), .fixed(size)])
    let features = graph.features(pixels, tower.network)
    graph.output(graph.projected(features, head), "image_embeds", columns: head.width)
    return graph
  }

  /// From `input_ids` and `attention_mask` [rows, tokens] through a BERT to `text_embeds`.
  static func encoder(_ tower: FrozenTextTower, _ head: EncoderHead) -> OnnxGraph {
    var graph = OnnxGraph()
    let shape: [Size] = [.rows, .open("tokens")]
    let (ids, seen) = (graph.input("input_ids", shape, .int64), graph.input("attention_mask", shape, .int64))
    let average = graph.average(ids, seen, tower.network)
    graph.output(graph.projected(average, head), "text_embeds", columns: head.width)
    return graph
  }

  /// From rows of a tower, `embedding` [rows, inputs], to `name`.
  static func head(_ head: EncoderHead, _ name: String) -> OnnxGraph {
    var graph = OnnxGraph()
    let embedding = graph.input("embedding", columns: head.inner.weight.size(1))
    graph.output(graph.projected(embedding, head), name, columns: head.width)
    return graph
  }

  private mutating func projected(_ rows: Value, _ head: EncoderHead) -> Value {
    let inner = gelu(linear(rows, head.inner, "0"))
    return unitRows(linear(inner, head.outer, "3"))
  }

  // MARK: - EfficientNet

  private mutating func features(_ pixels: Value, _ network: EfficientNet) -> Value {
    var x = clipped(convolved(pixels, network.stem))
    for block in network.blocks {
      let wide = block.expand.map { clipped(convolved(x, $0)) } ?? x
      let narrowed = convolved(clipped(convolved(wide, block.filter)), block.narrow)
      x = block.isResidual ? apply("Add", narrowed, x) : narrowed
    }
    let last = clipped(convolved(x, network.head))
    return apply("ReduceMean", last, attributes: [("axes", .integers([2, 3])), ("keepdims", .integer(0))])
  }

  private mutating func convolved(_ x: Value, _ layer: Convolution) -> Value {
    let padding =
      switch layer.padding {
      case .none: "VALID"
      case .same: "SAME_UPPER"
      }
    let attributes: [(String, Attribute)] = [
      ("auto_pad", .text(padding)), ("group", .integer(layer.groups)),
      ("strides", .integers([layer.stride, layer.stride])),
    ]
    guard let bias = layer.bias else { return apply("Conv", x, constant(layer.weight), attributes: attributes) }
    return apply("Conv", x, constant(layer.weight), constant(bias), attributes: attributes)
  }

  /// ReLU6.
  private mutating func clipped(_ x: Value) -> Value { apply("Clip", x, constant(0), constant(6)) }

  // MARK: - BERT

  /// Of the last states over the positions that are seen.
  private mutating func average(_ ids: Value, _ seen: Value, _ network: SentenceEncoder) -> Value {
    let weights = apply("Cast", seen, attributes: [("to", .integer(Element.float32.rawValue))])
    let hidden = apply("Mul", apply("Sub", weights, constant(1)), constant(Double(Float.greatestFiniteMagnitude)))
    let mask = apply("Unsqueeze", hidden, axes([1, 2]))
    let tokens = apply("Gather", constant(network.tokens), ids)
    let positions = first(length(ids, axis: 1), of: constant(network.positions))
    var states = normalised(apply("Add", tokens, positions), network.norm)
    for block in network.blocks { states = transformed(states, by: block, mask: mask) }
    let column = apply("Unsqueeze", weights, axes([-1]))
    let sum = apply("ReduceSum", apply("Mul", states, column), axes([1]), attributes: [("keepdims", .integer(0))])
    let count = apply("ReduceSum", weights, axes([1]), attributes: [("keepdims", .integer(1))])
    return apply("Div", sum, count)
  }
}

/// The layers of a head on a frozen tower.
struct EncoderHead {
  let inner, outer: Linear

  var width: Int { outer.weight.size(0) }

  /// - Parameter name: `image_head` or `text_head`.
  init(_ encoder: DualEncoder, _ name: String) {
    let tensors = Dictionary(uniqueKeysWithValues: encoder.encoderParameters.map { ($0.name, $0.tensor) })
    func layer(_ place: String) -> Linear {
      guard let weight = tensors["\(name).\(place).weight"], let bias = tensors["\(name).\(place).bias"] else {
        preconditionFailure("the encoder has no layer \(name).\(place)")
      }
      return Linear(weight: weight, bias: bias)
    }
    (inner, outer) = (layer("0"), layer("3"))
  }
}
