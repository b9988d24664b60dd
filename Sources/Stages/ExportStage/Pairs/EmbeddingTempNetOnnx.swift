import Artifacts
import TempNet
import TemperatureSettings
import Torch

/// A TempNet of embeddings as an ONNX model, with its settings in the model's metadata.
struct EmbeddingTempNetOnnx {
  let network: EmbeddingTemperatureNetwork

  private var settings: EmbeddingTempNetSettings { network.settings }

  /// From unit rows [rows, width] to temperatures [rows].
  func model() -> [UInt8] {
    var graph = OnnxGraph()
    let embedding = graph.input("embedding", columns: settings.width)
    let transformed = graph.linear(embedding, network.projection, "proj")
    let features: OnnxGraph.Value
    if let pool = network.pool {
      features = pooled(graph.apply("Sigmoid", transformed), pool, &graph)
    } else {
      features = graph.gelu(transformed)
    }
    let scores = graph.linear(features, network.last, "linear_1")
    let share = graph.apply("Sigmoid", graph.apply("Squeeze", scores, graph.axes([-1])))
    let range = graph.apply("Mul", share, graph.constant(settings.tauMax - settings.tauMin))
    graph.output(graph.apply("Add", range, graph.constant(settings.tauMin)), "temperature")
    return graph.model(
      name: "tempnet", producer: "tempnet", version: Release.version,
      metadata: settings.metadata.sorted { $0.key < $1.key }.map { ($0.key, $0.value) })
  }

  private func pooled(
    _ active: OnnxGraph.Value, _ pool: EmbeddingTemperatureNetwork.Pool, _ graph: inout OnnxGraph
  ) -> OnnxGraph.Value {
    let directions = pool.prototypes / pool.prototypes.norm(-1, keeping: true).clamped(1e-12, nil)
    let factor = graph.constant(
      directions.transposed().contiguous().floats, [settings.width, settings.units], name: "prototypes")
    let scores = graph.apply("MatMul", active, factor)
    let sharpness = graph.constant(pool.scaler.exp().item)
    let weights = graph.apply("Softmax", graph.apply("Div", scores, sharpness), attributes: [("axis", .integer(-1))])
    let centred = graph.apply("Sub", weights, graph.constant(1 / Double(settings.units)))
    return graph.apply("Mul", centred, graph.apply("Sigmoid", scores))
  }
}

extension OnnxGraph {
  /// x · Wᵀ + b.
  mutating func linear(_ x: Value, _ layer: Linear, _ name: String) -> Value {
    let weight = constant(layer.weight.floats, layer.weight.shape, name: "\(name).weight")
    guard let bias = layer.bias else { return apply("Gemm", x, weight, attributes: [("transB", .integer(1))]) }
    let added = constant(bias.floats, bias.shape, name: "\(name).bias")
    return apply("Gemm", x, weight, added, attributes: [("transB", .integer(1))])
  }

  /// x · Φ(x), by the error function.
  mutating func gelu(_ x: Value) -> Value {
    let error = apply("Erf", apply("Mul", x, constant(0.5.squareRoot())))
    let share = apply("Mul", apply("Add", error, constant(1)), constant(0.5))
    return apply("Mul", x, share)
  }
}
