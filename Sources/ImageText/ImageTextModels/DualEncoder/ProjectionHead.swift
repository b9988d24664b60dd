import Diagnostics
import Torch
import Weights

/// A two-layer head on a frozen tower: Linear, GELU, dropout, Linear. Parameters have the names of a PyTorch `Sequential`
/// of these four.
struct ProjectionHead: Module, Sendable {
  /// [hidden, inputs] and [hidden]
  let inner: Linear
  /// [outputs, hidden] and [outputs]
  let outer: Linear
  let dropout: Double

  /// PyTorch's default initialisation, each layer from a generator of its own.
  ///
  /// - Parameter index: of the head among those of one seed.
  init(_ inputs: Int, hidden: Int, _ outputs: Int, dropout: Double, seed: UInt64, index: UInt64) {
    // "heads" in ASCII, apart from other draws of the same seed.
    let stream: UInt64 = 0x68_6561_6473
    TorchRuntime.seed(seed, stream: stream, index: 2 * index)
    inner = Linear(inputs, hidden)
    TorchRuntime.seed(seed, stream: stream, index: 2 * index + 1)
    outer = Linear(hidden, outputs)
    self.dropout = dropout
  }

  private init(inner: Linear, outer: Linear, dropout: Double) {
    (self.inner, self.outer, self.dropout) = (inner, outer, dropout)
  }

  /// Reads a head from a file.
  ///
  /// - Throws: `Failure(.badData)` for a tensor that is missing or has another type or shape.
  init(
    _ file: SafetensorsFile, _ name: String, _ inputs: Int, hidden: Int, _ outputs: Int, dropout: Double
  ) throws {
    func linear(_ layer: String, _ inputs: Int, _ outputs: Int) throws -> Linear {
      Linear(
        weight: try Tensor(file.entry("\(name).\(layer).weight", type: .float32, shape: [outputs, inputs])),
        bias: try Tensor(file.entry("\(name).\(layer).bias", type: .float32, shape: [outputs])))
    }
    self.init(inner: try linear("0", inputs, hidden), outer: try linear("3", hidden, outputs), dropout: dropout)
  }

  func mapped(_ change: (Tensor) -> Tensor) -> ProjectionHead {
    func changed(_ layer: Linear) -> Linear { Linear(weight: change(layer.weight), bias: layer.bias.map(change)) }
    return ProjectionHead(inner: changed(inner), outer: changed(outer), dropout: dropout)
  }

  var parameters: [NamedTensor] { inner.parameters(under: "0") + outer.parameters(under: "3") }

  /// [..., outputs] of embeddings [..., inputs].
  func callAsFunction(_ x: Tensor, training: Bool, computeType: DType) -> Tensor {
    let active = inner(x, computeType: computeType).gelu()
    return outer(training ? active.dropout(dropout) : active, computeType: computeType)
  }
}
