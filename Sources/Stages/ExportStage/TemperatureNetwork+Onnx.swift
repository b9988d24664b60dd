import Artifacts
import TempNet
import TemperatureSettings
import Torch

/// A TempNet as an ONNX model, whose settings stand in the model's metadata as they do in the safetensors file.
struct OnnxExport {
  let network: TemperatureNetwork

  private var settings: TempNetSettings { network.settings }

  /// From logits [rows, vocabulary], or hidden states [rows, width], to temperatures [rows].
  func model() -> [UInt8] {
    var graph = OnnxGraph()
    let isHidden = settings.input == .hidden
    let source = graph.input(isHidden ? "hidden" : "logits", columns: isHidden ? settings.width : settings.vocabulary)
    var rows = source
    if settings.input.isCentred {
      let largest = graph.apply("ReduceMax", source, attributes: Self.lastAxis)
      rows = graph.apply("Sub", source, largest)
    }
    let norm = floored(graph.apply("ReduceL2", rows, attributes: Self.lastAxis), &graph)
    var columns = graph.apply("Div", rows, norm)
    if settings.input == .scaled {
      let mean = graph.apply("ReduceMean", rows, attributes: Self.lastAxis)
      let deviation = graph.apply("ReduceL2", graph.apply("Sub", rows, mean), attributes: Self.lastAxis)
      let count = graph.constant(Double(settings.vocabulary).squareRoot())
      let spread = floored(graph.apply("Div", deviation, count), &graph)
      columns = graph.apply(
        "Concat", columns, graph.apply("Log", norm), graph.apply("Log", spread), attributes: [("axis", .integer(-1))])
    }
    let transformed = graph.linear(columns, network.transformation, "proj.0")
    return finish(transformed, &graph, name: "tempnet")
  }

  /// From hidden states [rows, d] and what a sampler knows of their logits to temperatures [rows]: the first layer is
  /// multiplied through the unembedding, so that nothing as wide as the vocabulary is left.
  ///
  /// - Parameters:
  ///   - unembedding: [vocabulary, d].
  ///   - bias: [vocabulary].
  func foldedModel(unembedding: Tensor, bias: Tensor?) -> [UInt8] {
    let first = FoldedFirstLayer(network, FoldedUnembedding(weight: unembedding, bias: bias))
    var graph = OnnxGraph()
    let hidden = graph.input("hidden", columns: unembedding.size(1))
    let norm = floored(column(graph.input("norm", columns: nil), &graph), &graph)
    var product = graph.apply(
      "MatMul", hidden, tensor(first.weight.transposed().contiguous(), "folded.weight", &graph))
    if let bias = first.headBias { product = graph.apply("Add", product, tensor(bias, "folded.bias", &graph)) }
    if let rowSums = first.rowSums {
      let largest = column(graph.input("maximum", columns: nil), &graph)
      product = graph.apply(
        "Sub", product, graph.apply("Mul", largest, tensor(rowSums, "folded.row_sums", &graph)))
    }
    var transformed = graph.apply("Div", product, norm)
    if let weights = first.scales {
      let spread = floored(column(graph.input("spread", columns: nil), &graph), &graph)
      let scales = graph.apply(
        "Concat", graph.apply("Log", norm), graph.apply("Log", spread), attributes: [("axis", .integer(-1))])
      transformed = graph.apply(
        "Add", transformed,
        graph.apply("MatMul", scales, tensor(weights.transposed().contiguous(), "scales.weight", &graph)))
    }
    if let offset = first.bias {
      transformed = graph.apply("Add", transformed, tensor(offset, "proj.0.bias", &graph))
    }
    return finish(transformed, &graph, name: "tempnet_folded")
  }

  private static let lastAxis: [(String, OnnxGraph.Attribute)] = [("axes", .integers([-1])), ("keepdims", .integer(1))]

  /// What follows the first layer.
  private func finish(_ transformed: OnnxGraph.Value, _ graph: inout OnnxGraph, name: String) -> [UInt8] {
    let scores = graph.linear(graph.apply("Sigmoid", transformed), network.projection, "proj.3")
    let sharpness = graph.constant(network.scaler.exp().item)
    let weights = graph.apply("Softmax", graph.apply("Div", scores, sharpness), attributes: [("axis", .integer(-1))])
    let centred = graph.apply("Sub", weights, graph.constant(1 / Double(settings.hidden)))
    let pooled = graph.linear(graph.apply("Mul", centred, scores), network.last, "last")
    let share = graph.apply("Sigmoid", graph.apply("Squeeze", pooled, graph.axes([-1])))
    let range = graph.apply("Mul", share, graph.constant(settings.tauMax - settings.tauMin))
    let temperature = graph.apply("Add", range, graph.constant(settings.tauMin))
    graph.output(temperature, "temperature")
    return graph.model(
      name: name, producer: "tempnet", version: Release.version,
      metadata: settings.metadata.sorted { $0.key < $1.key }.map { ($0.key, $0.value) })
  }

  private func tensor(_ tensor: Tensor, _ name: String, _ graph: inout OnnxGraph) -> OnnxGraph.Value {
    graph.constant(tensor.floats, tensor.shape, name: name)
  }

  /// At least the least norm that is divided by.
  private func floored(_ value: OnnxGraph.Value, _ graph: inout OnnxGraph) -> OnnxGraph.Value {
    graph.apply("Max", value, graph.constant(settings.normalisationEpsilon))
  }

  /// [rows] as [rows, 1].
  private func column(_ value: OnnxGraph.Value, _ graph: inout OnnxGraph) -> OnnxGraph.Value {
    graph.apply("Unsqueeze", value, graph.axes([-1]))
  }
}
