import CTorch
import RandomNumbers
import TestSupport
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
    TorchRuntime.seed(4)
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
    TorchRuntime.seed(5)
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
    TorchRuntime.seed(6)
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
    TorchRuntime.seed(3)
    let heads = Tensor.normal([1, 2, 3, 8])
    for table in [[2, 1, 5], [2, 2, 4], [4]] {
      #expect(throws: TorchError.self) {
        let angles = Tensor.ones(table)
        _ = try Operator.call("tempnet::rotate", "", [.tensor(heads), .tensor(angles), .tensor(angles)])
      }
    }
  }

  /// Windows, heads of queries and of keys, tokens and width, to both sides of a block's 64.
  static let attentions = [
    [1, 1, 1, 1, 4], [2, 2, 1, 5, 8], [1, 4, 2, 63, 16], [1, 3, 3, 64, 64], [2, 2, 2, 65, 20], [1, 6, 2, 200, 33],
    [0, 2, 2, 3, 4], [1, 1, 1, 700, 8], [1, 1, 1, 4100, 2],
  ]

  @Test(arguments: attentions, [0.3, 10])
  func `attention is what its formula says`(_ shape: [Int], scale: Double) {
    let (windows, tokens) = (shape[0], shape[3])
    for way in [ctorch_products_tiles, ctorch_products_plain] {
      for ends in [nil, Self.scatteredEnds(windows, tokens), Self.endsOfDocuments(windows, tokens)] {
        expectAttention(shape, scale: scale, ends: ends, by: way)
      }
    }
  }

  /// Of some tokens one of the next few, of others any, beyond the window and before the token too, which sees itself anyway.
  private static func scatteredEnds(_ windows: Int, _ tokens: Int) -> Tensor {
    var random = SplitMix64(seed: 5)
    let ends = (0..<windows * tokens).map { place in
      let token = place % tokens
      return Bool.random(using: &random)
        ? Int.random(in: token...token + 4, using: &random) : Int.random(in: -3...tokens + 3, using: &random)
    }
    return Tensor(ends, shape: [windows, tokens])
  }

  /// Those of documents of 90 tokens: many panels of keys are seen by no query of later blocks.
  private static func endsOfDocuments(_ windows: Int, _ tokens: Int) -> Tensor {
    Tensor((0..<windows * tokens).map { ($0 % tokens / 90 + 1) * 90 }, shape: [windows, tokens])
  }

  private func expectAttention(_ shape: [Int], scale: Double, ends: Tensor?, by way: ctorch_products) {
    ctorch_force_products(way)
    defer { ctorch_force_products(ctorch_products_fastest) }
    let (windows, heads, groups, tokens, width) = (shape[0], shape[1], shape[2], shape[3], shape[4])
    TorchRuntime.seed(8)
    // As layers give them: all heads of a token side by side.
    let inputs = [heads, groups, groups].map { Tensor.normal([windows, tokens, $0, width]) }
    let order = (Tensor.arange(tokens).unsqueezed(1) - Tensor.arange(tokens).unsqueezed(0)).to(.float64)
    // exp finds nothing left of a score that low.
    let later = order.clamped(-1, 0) * 1e30
    let mask =
      ends.map { ends in
        let past = (Tensor.arange(tokens).unsqueezed(1) - ends.unsqueezed(1) + 1).to(.float64).clamped(0, 1)
        return later - past * order.clamped(0, 1) * 1e30
      }?.unsqueezed(1) ?? later
    expectAgreement(inputs, within: 5e-6 * max(1, scale)) { inputs in
      let parts = inputs.map { $0.transposed(1, 2) }
      return parts[0].causalAttention(to: parts[1], parts[2], scale: scale, ends: ends)
    } _: { inputs in
      let parts = inputs.map { $0.transposed(1, 2) }
      let turn = heads / groups
      let of = { (part: Tensor) in
        part.unsqueezed(2).expanded([windows, groups, turn, tokens, width]).reshaped([windows, heads, tokens, width])
      }
      let scores = parts[0].matmul(of(parts[1]).transposed(-1, -2)) * scale + mask
      return scores.logSoftmax(-1).exp().matmul(of(parts[2]))
    }
  }

  @Test func `attention passes on what is not finite, and refuses heads that do not belong together`() throws {
    let numbers = [Float](repeating: 1, count: 70 * 4)
    for bad in [Float.nan, .infinity] {
      var damaged = numbers
      damaged[66 * 4] = bad
      let all = Tensor(numbers, shape: [1, 1, 70, 4])
      let query = Tensor(damaged, shape: [1, 1, 70, 4])
      let found = query.causalAttention(to: all, all).floats
      #expect((0..<70).allSatisfy { found[$0 * 4].isNaN == ($0 == 66) })
    }
    for ends in [Tensor([1, 2, 3]), Tensor([1, 2], shape: [1, 2]), Tensor.ones([1, 3])] {
      #expect(throws: TorchError.self) {
        let all = Tensor.ones([1, 1, 3, 4])
        _ = try Operator.call(
          "tempnet::attention", "", [.tensor(all), .tensor(all), .tensor(all), .number(1), .tensor(ends)])
      }
    }
    for key in [[1, 2, 3, 4], [2, 3, 3, 4], [1, 3, 3, 5]] {
      #expect(throws: TorchError.self) {
        let (query, key) = (Tensor.ones([1, 3, 3, 4]), Tensor.ones(key))
        _ = try Operator.call(
          "tempnet::attention", "", [.tensor(query), .tensor(key), .tensor(key), .number(1)])
      }
    }
  }

  /// Each way to multiply that this processor has; those that it lacks become libtorch's own.
  static let ways = [ctorch_products_fastest, ctorch_products_tiles, ctorch_products_mkl, ctorch_products_plain]
  /// Of the input, and the outputs: empty, odd, and beyond the panels, blocks and chains that products are made of.
  static let layers: [(input: [Int], outputs: Int)] = [
    ([1, 1], 1), ([3, 5], 7), ([2, 9, 16], 33), ([17, 130], 64), ([0, 4], 3), ([3, 0], 2), ([5, 2], 0),
    ([301, 257], 130), ([64, 1601], 200), ([37, 6203], 65), ([2, 300, 96], 2049),
    // Few rows of large matrices.
    ([1031], 67), ([3, 517], 131), ([15, 300], 300),
  ]

  @Test(arguments: [DType.float32, .bfloat16])
  func `what becomes of one of a few rows does not depend on the others`(computeType: DType) {
    TorchRuntime.seed(9)
    // Libraries that some processors are left to promise nothing of the kind.
    let isOwn = String(cString: ctorch_product_instructions(computeType == .bfloat16)).hasPrefix("AVX512")
    let (x, weight) = (Tensor.normal([15, 517]), Tensor.normal([131, 517]))
    let together = x.linear(weight, computeType: computeType)
    for row in [0, 7, 14] where isOwn {
      #expect(x[row..<row + 1].linear(weight, computeType: computeType).floats == together[row..<row + 1].floats)
    }
  }

  @Test(arguments: layers, [DType.float32, .bfloat16])
  func `a layer is the product of its factors, as rounded, whichever way is taken`(
    _ sizes: (input: [Int], outputs: Int), computeType: DType
  ) {
    TorchRuntime.seed(7)
    let (inputs, outputs) = (sizes.input.last!, sizes.outputs)
    let x = Tensor.normal(sizes.input)
    let bias = Tensor.normal([outputs])
    func rounded(_ tensor: Tensor) -> Tensor { tensor.to(computeType).to(.float64) }
    for (way, isTurned) in Self.ways.flatMap({ [($0, false), ($0, true)] }) {
      ctorch_force_products(way)
      defer { ctorch_force_products(ctorch_products_fastest) }
      // As it lies in memory, and as what it is transposed lies there.
      let weight = isTurned ? Tensor.normal([inputs, outputs]).transposed() : Tensor.normal([outputs, inputs])
      let found = withoutGradients { x.linear(weight, bias: bias, computeType: computeType) }
      #expect(found.dtype == .float32)
      expectEqual(found, rounded(x).matmul(rounded(weight).transposed()) + bias.to(.float64), products: inputs)
      // A weight that has been rounded before is the same.
      let before = withoutGradients { x.linear(weight.to(computeType), bias: bias, computeType: computeType) }
      #expect(before.floats == found.floats)
      let alone = x.linear(weight.cloned().requiringGradient(), computeType: computeType)
      alone.sum().backward()
      expectEqual(alone.detached() + bias, found.to(.float64), products: inputs)

      let leaves = [x, weight, bias].map { $0.cloned().requiringGradient() }
      let recorded = leaves[0].linear(leaves[1], bias: leaves[2], computeType: computeType)
      let gradient = (Tensor.arange(found.count).to(.float32) * 0.37).sin().reshaped(found.shape)
      recorded.backward(gradient)
      let rows = found.shape.dropLast().reduce(1, *)
      let flat = rounded(gradient).reshaped([rows, outputs])
      let ofWeight = flat.transposed().matmul(rounded(x).reshaped([rows, inputs]))
      expectEqual(leaves[0].gradient!, flat.matmul(rounded(weight)).reshaped(sizes.input), products: outputs)
      expectEqual(leaves[1].gradient!, ofWeight, products: rows)
      expectEqual(leaves[2].gradient!, gradient.to(.float64).reshaped([rows, outputs]).sum(0), products: rows)
      // A weight that has a gradient gets what a further chunk leaves added to it.
      let further = leaves[0].detached().linear(leaves[1], computeType: computeType)
      (further + leaves[0].detached().linear(leaves[1], computeType: computeType)).backward(gradient)
      expectEqual(leaves[1].gradient!, ofWeight * 3, products: 9 * rows)
    }
  }

  /// Sums of so many products of numbers around 1, in float32.
  private func expectEqual(_ found: Tensor, _ wanted: Tensor, products: Int) {
    #expect(found.dtype == .float32 && found.shape == wanted.shape)
    let bound = 4e-6 * Double(max(1, products)).squareRoot()
    let ofFew = products <= 130 ? 2e-5 : .infinity
    #expect(
      zip(found.doubles, wanted.doubles).allSatisfy { abs($0 - $1) < min(bound, ofFew * max(1, abs($1))) })
  }

  @Test(arguments: ways)
  func `what is not finite stays so`(_ way: ctorch_products) {
    ctorch_force_products(way)
    defer { ctorch_force_products(ctorch_products_fastest) }
    for computeType in [DType.float32, .bfloat16] {
      let x = Tensor([Float](repeating: 1, count: 40 * 33), shape: [40, 33])
      var row = [Float](repeating: 1, count: 33 * 80)
      (row[0], row[33 * 79 + 32]) = (.nan, .infinity)
      let sums = x.linear(Tensor(row, shape: [80, 33]), computeType: computeType).floats
      #expect((0..<40).allSatisfy { sums[$0 * 80].isNaN && sums[$0 * 80 + 1] == 33 && sums[$0 * 80 + 79] == .infinity })
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
