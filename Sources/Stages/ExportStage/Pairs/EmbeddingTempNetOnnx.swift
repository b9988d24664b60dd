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
