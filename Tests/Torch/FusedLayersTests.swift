import CTorch
import Testing

@testable import Torch

/// Our operators against plain tensor code in float64, in value and gradient.
@Suite(.serialized) struct FusedLayersTests {
  /// The value of a function and the gradients of all inputs, for a loss that weighs every element differently.
  private func derived(_ inputs: [Tensor], _ function: ([Tensor]) -> Tensor) -> [Tensor] {
    let leaves = inputs.map { $0.detached().cloned().requiringGradient() }
    let value = function(leaves)
    let weights = (Tensor.arange(value.count).to(.float64) * 0.37).sin().to(.float32).reshaped(value.shape)
    (value * weights.to(value.dtype)).sum().backward()
    return [value.detached()] + leaves.map { $0.gradient! }
  }

  private func expectAgreement(
    _ inputs: [Tensor], within tolerance: Double, _ fused: ([Tensor]) -> Tensor, _ plain: ([Tensor]) -> Tensor,
    source: SourceLocation = #_sourceLocation
  ) {
    let found = derived(inputs, fused)
    let expected = derived(inputs.map { $0.to(.float64) }, plain)
    for (a, b) in zip(found, expected) {
      #expect(a.shape == b.shape && a.dtype == .float32, sourceLocation: source)
      guard a.count > 0 else { continue }
      let scale = max(1, b.abs().reshaped([-1]).maximum(0).item)
      let distance = (a.to(.float64) - b).abs().reshaped([-1]).maximum(0).item
      #expect(distance < tolerance * scale, sourceLocation: source)
    }
    // Without a record of it the value is the same.
    #expect(withoutGradients { fused(inputs) }.floats == found[0].floats, sourceLocation: source)
  }

  @Test(arguments: [[3, 1], [2, 5, 7], [4, 16], [3, 33], [2, 3, 576], [0, 8]], [1e-6, 1])
  func `an RMS norm is what its formula says`(shape: [Int], scale: Double) {
    Machine.seed(4)
    let (x, weight) = (Tensor.normal(shape) * scale, Tensor.normal([shape.last!]))
    expectAgreement([x, weight], within: 2e-6) {
      $0[0].rmsNorm($0[1], epsilon: 1e-5)
    } _: { inputs in
      let norm = (inputs[0].square().mean(-1, keeping: true) + 1e-5).sqrt()
      return inputs[0] / norm * inputs[1]
    }
  }

  @Test(arguments: [[3, 2], [2, 5, 14], [4, 32], [3, 66], [2, 3, 1000], [0, 8]], [1.0, 300])
  func `a gated SiLU is what its formula says, far out too`(shape: [Int], scale: Double) {
    Machine.seed(5)
    expectAgreement([Tensor.normal(shape) * scale], within: 2e-6) {
      $0[0].gatedSiLU()
    } _: { inputs in
      let halves = inputs[0].chunks(2, dimension: -1)
      return halves[0] * halves[0].sigmoid() * halves[1]
    }
  }

  @Test(arguments: [(4, 4), (6, 6), (64, 64), (20, 6), (33, 32)], [false, true])
  func `a rotation is what its formula says, for tables of all windows or of each`(
    _ widths: (head: Int, rotated: Int), ofEach: Bool
  ) {
    Machine.seed(6)
    let half = widths.rotated / 2
    let angles = Tensor.normal((ofEach ? [2] : []) + [5, 1, half])
    // A part of something wider, as queries and keys are.
    let all = Tensor.normal([2, 5, 4, widths.head])
    expectAgreement([all], within: 2e-6) {
      $0[0].narrowed(2, 0..<3).rotated(cosines: angles.cos(), sines: angles.sin())
    } _: { inputs in
      let x = inputs[0].narrowed(2, 0..<3)
      let parts = x.split([half, half, widths.head - 2 * half], dimension: -1)
      let (cosines, sines) = (angles.cos().to(.float64), angles.sin().to(.float64))
      return .concatenate(
        [parts[0] * cosines - parts[1] * sines, parts[1] * cosines + parts[0] * sines, parts[2]], dimension: -1)
    }
  }

  @Test func `what is no rotation is refused`() throws {
    let heads = Tensor.normal([1, 2, 3, 8])
    for table in [[2, 1, 5], [2, 2, 4], [4]] {
      #expect(throws: TorchError.self) {
        let angles = Tensor.ones(table)
        _ = try Operator.call("tempnet::rotate", "", [.tensor(heads), .tensor(angles), .tensor(angles)])
      }
    }
  }

  /// In float32 and, where MKL is there, as MKL emulates or computes it.
  @Test(arguments: [([1, 1], 1), ([3, 5], 7), ([2, 9, 16], 33), ([17, 130], 64), ([0, 4], 3)], [false, true])
  func `a bfloat16 layer is that of rounded numbers`(_ sizes: (input: [Int], outputs: Int), byMKL: Bool) {
    ctorch_force_bfloat16_products(byMKL)
    defer { ctorch_force_bfloat16_products(false) }
    Machine.seed(7)
    let x = Tensor.normal(sizes.input)
    let (weight, bias) = (Tensor.normal([sizes.outputs, sizes.input.last!]), Tensor.normal([sizes.outputs]))
    func rounded(_ tensor: Tensor) -> Tensor { tensor.to(.bfloat16).to(tensor.dtype) }
    let found = withoutGradients { x.bfloat16Linear(weight, bias: bias) }
    let value = rounded(x).to(.float64).matmul(rounded(weight).to(.float64).transposed()) + bias.to(.float64)
    #expect(found.dtype == .float32 && found.shape == value.shape)
    #expect(zip(found.doubles, value.doubles).allSatisfy { abs($0 - $1) < 2e-5 * max(1, abs($1)) })
    // A weight that has been rounded before is the same.
    #expect(withoutGradients { x.bfloat16Linear(weight.to(.bfloat16), bias: bias) }.floats == found.floats)

    let leaves = [x, weight, bias].map { $0.cloned().requiringGradient() }
    let recorded = leaves[0].bfloat16Linear(leaves[1], bias: leaves[2])
    let gradient = (Tensor.arange(found.count).to(.float32) * 0.37).sin().reshaped(found.shape)
    recorded.backward(gradient)
    let flat = rounded(gradient).to(.float64).reshaped([-1, sizes.outputs])
    let expected = [
      flat.matmul(rounded(weight).to(.float64)).reshaped(sizes.input),
      flat.transposed().matmul(rounded(x).to(.float64).reshaped([-1, sizes.input.last!])),
      gradient.to(.float64).reshaped([-1, sizes.outputs]).sum(0),
    ]
    for (leaf, wanted) in zip(leaves, expected) {
      #expect(leaf.gradient!.dtype == .float32 && leaf.gradient!.shape == wanted.shape)
      #expect(zip(leaf.gradient!.doubles, wanted.doubles).allSatisfy { abs($0 - $1) < 2e-5 * max(1, abs($1)) })
    }
  }

  @Test func `everything finite is told from what is not`() {
    #expect(Tensor([1, -3e38, 0] as [Float]).allFinite().item == 1)
    #expect(Tensor([Float](), shape: [0, 3]).allFinite().item == 1)
    for bad in [Float.nan, .infinity, -.infinity] {
      #expect(Tensor([1, bad, 0] as [Float]).allFinite().item == 0)
      #expect(Tensor([1, bad, 0] as [Float]).to(.bfloat16).allFinite().item == 0)
    }
  }
}
