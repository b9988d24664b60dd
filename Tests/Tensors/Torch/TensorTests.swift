import Diagnostics
import Glibc
import Testing

@testable import Torch

@Suite struct TensorTests {
  @Test func `elements come back as they went in, for every type we make`() {
    #expect(Tensor([1, 2.5, -3] as [Float]).floats == [1, 2.5, -3])
    #expect(Tensor([1, 2.5, -3] as [Double]).doubles == [1, 2.5, -3])
    #expect(Tensor([Int64.min, 0, Int64.max]).integers == [.min, 0, .max])
    #expect(Tensor([1, 2, 3, 4, 5, 6], shape: [2, 3]).transposed().integers == [1, 4, 2, 5, 3, 6])
  }

  @Test func `bytes are the elements row by row, of views too`() {
    let matrix = Tensor([1, 2, 3, 4] as [Int32], shape: [2, 2]).transposed()
    #expect(matrix.bytes == [1, 0, 0, 0, 3, 0, 0, 0, 2, 0, 0, 0, 4, 0, 0, 0])
    for tensor in [matrix, matrix.contiguous(), matrix[1..<2], matrix.selected(1, at: 1), matrix[0..<0]] {
      #expect(tensor.withBytes { Array($0) } == tensor.bytes)
    }
    #expect(Tensor([Float](), shape: [0, 3]).bytes.isEmpty)
  }

  @Test(arguments: [[1, 5], [7, 64], [8, 64], [3, 5, 33], [0, 16], [130, 48]], [1, 17, 96])
  func `linear layers give what plain products do, recorded or not`(_ shape: [Int], _ outputs: Int) {
    TorchRuntime.seed(3, stream: 1, index: UInt64(outputs))
    let x = Tensor.normal(shape)
    let weight = Tensor.normal([outputs, shape.last!])
    let bias = Tensor.normal([outputs])
    let expected = x.to(.float64).matmul(weight.to(.float64).transposed()) + bias.to(.float64)
    func deviation(_ found: Tensor) -> Double {
      #expect(found.shape == expected.shape && found.dtype == .float32)
      return zip(found.floats, expected.doubles).reduce(0) { max($0, abs(Double($1.0) - $1.1)) }
    }
    // A view is taken as it lies.
    #expect(withoutGradients { deviation(x.linear(weight, bias: bias)) } < 1e-4)
    #expect(withoutGradients { deviation(x.linear(weight) + bias) } < 1e-4)
    let view = weight.transposed().contiguous().transposed()
    #expect(withoutGradients { deviation(x.linear(view, bias: bias)) } < 1e-4)
    weight.requiringGradient()
    let recorded = x.linear(weight, bias: bias)
    #expect(deviation(recorded.detached()) < 1e-4)
    (recorded * recorded).sum().backward()
    let gradient = (expected * 2).reshaped([-1, outputs]).transposed().matmul(
      x.to(.float64).reshaped([-1, shape.last!]))
    for (found, wanted) in zip(weight.gradient!.floats, gradient.doubles) {
      #expect(abs(Double(found) - wanted) < 1e-3 * max(1, abs(wanted)))
    }
  }

  @Test func `an infinite input reaches the outputs of its own row alone`() {
    let rows = [[Float](repeating: 1, count: 16), [.infinity] + [Float](repeating: 1, count: 15)]
    let x = Tensor((0..<10).flatMap { rows[$0 == 4 ? 1 : 0] }, shape: [10, 16])
    let found = withoutGradients { x.linear(.ones([3, 16])) }.floats
    #expect(found == (0..<30).map { $0 / 3 == 4 ? .infinity : 16 })
  }

  @Test func `an operator that fails says its name, its arguments and libtorch's words`() {
    let a = Tensor.zeros([2, 3])
    let b = Tensor.zeros([4, 5])
    #expect {
      try Operator.call("aten::matmul", "", [.tensor(a), .tensor(b)])
    } throws: { error in
      guard let error = error as? TorchError else { return false }
      return error.operation == "aten::matmul" && error.arguments == "float32[2, 3], float32[4, 5]"
        && error.message.contains("2x3 and 4x5")
    }
  }

  @Test func `an operator or an argument that does not exist is refused`() {
    #expect(throws: TorchError.self) { try Operator.call("aten::no_such_thing", "", []) }
    #expect(throws: TorchError.self) {
      try Operator.call("aten::zeros", "", [.integers([2])], named: ["colour": .integer(1)])
    }
    #expect(throws: TorchError.self) { try Operator.call("aten::zeros", "", []) }
  }

  @Test func `memory that is not there is told apart from mistakes, with how much was asked for`() {
    #expect {
      try Operator.call("aten::empty", "memory_format", [.integers([1 << 50])], named: ["dtype": .dtype(.float32)])
    } throws: { error in
      guard let error = error as? TorchError else { return false }
      return error.isOutOfMemory && error.failure.status.rawValue == 69
        && error.failure.message.hasPrefix("memory ran out: aten::empty asked for 4294967296 MiB. ")
    }
    #expect {
      try Operator.call("aten::no_such_thing", "", [])
    } throws: { error in
      guard let error = error as? TorchError else { return false }
      return !error.isOutOfMemory && error.failure.status.rawValue == 70
    }
  }

  /// Breaks where the library ends the process by itself: then with another status than the program's.
  @Test func `an operator that cannot throw leaves the end of the process to the program`() async throws {
    let ended = await #expect(processExitsWith: .exitCode(3), observing: [\.standardErrorContent]) {
      UnrecoverableFailure.setEnding { failure in
        Log.error("\(failure.status): \(failure)")
        exit(3)
      }
      _ = Tensor.zeros([2, 3]).matmul(.zeros([4, 5], dtype: .float64))
    }
    let words = String(decoding: try #require(ended).standardErrorContent, as: UTF8.self)
    #expect(words.contains("internal: libtorch: aten::matmul(float32[2, 3], float64[4, 5])"), "\(words)")
  }

  @Test func `without a program's ending the process traps`() async {
    await #expect(processExitsWith: .failure) { _ = Tensor.zeros([2, 3]) + .zeros([4, 5]) }
  }

  /// Breaks on processors with AMX, AVX512_BF16 or AVX-512 if the variable is not read.
  @Test(arguments: [("plain", Int32(0)), ("slow", 78)])
  func `the environment has products computed by libtorch's own operators`(name: String, status: Int32) async {
    await #expect(processExitsWith: .exitCode(status)) { [name] in
      setenv(TorchRuntime.productsVariable, name, 1)
      UnrecoverableFailure.setEnding { exit($0.status.rawValue) }
      let isPlain = [DType.float32, .bfloat16].allSatisfy { TorchRuntime.productInstructions($0) == nil }
      exit(isPlain && !TorchRuntime.hasFastBFloat16 ? 0 : 1)
    }
  }

  @Test func `optional tensors in a list may be left out`() throws {
    let matrix = Tensor([1, 2, 3, 4], shape: [2, 2])
    let column = try Operator.call("aten::index", "Tensor", [.tensor(matrix), .optionalTensors([nil, Tensor([1])])])[0]
    #expect(column.integers == [2, 4])
  }

  @Test func `operators on lists of any length return them whole`() throws {
    let tensors = (0..<100).map { Tensor([Float($0)]) }
    let norms = try Operator.call("aten::_foreach_norm", "Scalar", [.tensors(tensors), .number(2)])
    #expect(norms.map(\.item) == (0..<100).map(Double.init))
  }

  @Test func `norms and reductions equal hand-made numbers`() {
    let x = Tensor([3, 4, 0, 5, 12, 0] as [Float], shape: [2, 3])
    #expect(x.norm(1).floats == [5, 13])
    #expect(x.maximum(1).floats == [4, 12])
    #expect(x.argmax(1).integers == [1, 1])
    #expect(x.sum(0, keeping: true).shape == [1, 3])
  }
}

@Suite struct GradientTests {
  @Test func `backward adds up over calls until the gradient is cleared`() {
    let x = Tensor([1, 2, 3] as [Float]).requiringGradient()
    (x * x).sum().backward()
    #expect(x.gradient?.floats == [2, 4, 6])
    (x * 2).sum().backward()
    #expect(x.gradient?.floats == [4, 6, 8])
    x.clearGradient()
    #expect(x.gradient == nil)
  }

  @Test func `backward goes on from a gradient that was computed elsewhere`() {
    let x = Tensor([1, 2, 3] as [Float]).requiringGradient()
    (x * x).backward(Tensor([1, 10, 100] as [Float]))
    #expect(x.gradient?.floats == [2, 40, 600])
  }

  @Test func `nothing is recorded for detached tensors or inside withoutGradients`() {
    let x = Tensor([2] as [Float]).requiringGradient()
    #expect(!(x.detached() * x.detached()).requiresGradient)
    #expect(!withoutGradients { x * x }.requiresGradient)
    #expect((x * x).requiresGradient)
  }
}

@Suite struct RandomNumberTests {
  @Test func `draws depend on seed, stream and index alone`() {
    func draw(_ stream: UInt64, _ index: UInt64) -> [Float] {
      TorchRuntime.seed(7, stream: stream, index: index)
      return Tensor.normal([4]).floats
    }
    let first = draw(1, 2)
    _ = draw(3, 4)
    #expect(draw(1, 2) == first)
    #expect(draw(1, 3) != first)
    #expect(draw(2, 2) != first)
  }
}

@Suite struct AdamWTests {
  /// Two steps by hand from Loshchilov & Hutter's algorithm 2, in double precision.
  @Test func `two steps equal the published algorithm`() {
    let (rate, decay, beta1, beta2, epsilon) = (0.1, 0.01, 0.9, 0.95, 1e-8)
    let parameter = Tensor([1, -2] as [Double]).requiringGradient()
    let optimiser = AdamW(
      [.init(name: "all", parameters: [NamedTensor("p", parameter)], learningRate: rate, weightDecay: decay)],
      beta1: beta1, beta2: beta2, epsilon: epsilon)
    var expected = [1.0, -2.0]
    var first = [0.0, 0.0]
    var second = [0.0, 0.0]
    for step in 1...2 {
      (parameter * parameter * parameter).sum().backward()
      optimiser.step()
      optimiser.clearGradients()
      for i in 0..<2 {
        let gradient = 3 * expected[i] * expected[i]
        first[i] = beta1 * first[i] + (1 - beta1) * gradient
        second[i] = beta2 * second[i] + (1 - beta2) * gradient * gradient
        let correction1 = 1 - power(beta1, step)
        let correction2 = 1 - power(beta2, step)
        expected[i] *= 1 - rate * decay
        expected[i] -= rate * (first[i] / correction1) / ((second[i] / correction2).squareRoot() + epsilon)
      }
      for (ours, theirs) in zip(parameter.doubles, expected) { #expect(abs(ours - theirs) < 1e-12) }
    }
  }

  @Test func `clipping scales all gradients by one factor and reports the norm before`() {
    let a = Tensor([0, 0] as [Float]).requiringGradient()
    let b = Tensor([0] as [Float]).requiringGradient()
    ((a * Tensor([3, 0] as [Float])).sum() + (b * 4).sum()).backward()
    let norm = clipGradients(of: [NamedTensor("a", a), NamedTensor("b", b)], to: 1)
    #expect(abs(norm.item - 5) < 1e-6)
    #expect(abs((a.gradient?.floats[0] ?? 0) - 0.6) < 1e-5 && abs((b.gradient?.floats[0] ?? 0) - 0.8) < 1e-5)
  }

  @Test func `clipping leaves gradients as they are where one is not finite, so that it can be found`() {
    let (a, b) = (Tensor([1, 2] as [Float]).requiringGradient(), Tensor([3] as [Float]).requiringGradient())
    (a.sum() + b.sum()).backward()
    b.gradient?.fill(with: .nan)
    #expect(clipGradients(of: [NamedTensor("a", a), NamedTensor("b", b)], to: 0.1).item.isNaN)
    #expect(a.gradient?.floats == [1, 1])
  }

  private func power(_ base: Double, _ exponent: Int) -> Double {
    (0..<exponent).reduce(1) { product, _ in product * base }
  }
}
