import Torch

extension OnnxGraph {
  mutating func constant(_ tensor: Tensor, name: String? = nil) -> Value {
    constant(tensor.contiguous().floats, tensor.shape, name: name)
  }

  /// x · Wᵀ + b of rows, [rows, inputs].
  mutating func linear(_ x: Value, _ layer: Linear, _ name: String) -> Value {
    let weight = constant(layer.weight, name: "\(name).weight")
    guard let bias = layer.bias else { return apply("Gemm", x, weight, attributes: [("transB", .integer(1))]) }
    return apply("Gemm", x, weight, constant(bias, name: "\(name).bias"), attributes: [("transB", .integer(1))])
  }

  /// x · Wᵀ + b of rows of any rank, [..., inputs].
  mutating func projected(_ x: Value, _ layer: Linear) -> Value {
    let product = apply("MatMul", x, constant(layer.weight.transposed()))
    return layer.bias.map { apply("Add", product, constant($0)) } ?? product
  }

  /// x · Φ(x), by the error function.
  mutating func gelu(_ x: Value) -> Value {
    let error = apply("Erf", apply("Mul", x, constant(0.5.squareRoot())))
    let share = apply("Mul", apply("Add", error, constant(1)), constant(0.5))
    return apply("Mul", x, share)
  }

  /// Over the last axis.
  mutating func normalised(_ x: Value, _ norm: LayerNorm) -> Value {
    let attributes: [(String, Attribute)] = [("axis", .integer(-1)), ("epsilon", .number(norm.epsilon))]
    guard let bias = norm.bias else {
      return apply("LayerNormalization", x, constant(norm.weight), attributes: attributes)
    }
    return apply("LayerNormalization", x, constant(norm.weight), constant(bias), attributes: attributes)
  }

  /// Rows divided by their length.
  mutating func unitRows(_ rows: Value) -> Value {
    let norm = apply("ReduceL2", rows, attributes: [("axes", .integers([-1])), ("keepdims", .integer(1))])
    return apply("Div", rows, apply("Max", norm, constant(1e-12)))
  }

  /// 0 stands for a size as it is, -1 for what is left.
  mutating func reshaped(_ x: Value, _ shape: [Int]) -> Value { apply("Reshape", x, axes(shape)) }

  mutating func permuted(_ x: Value, _ order: [Int]) -> Value {
    apply("Transpose", x, attributes: [("perm", .integers(order))])
  }

  /// One place of an axis, which is gone.
  mutating func selected(_ x: Value, axis: Int, at index: Int) -> Value {
    apply("Gather", x, integers([index], []), attributes: [("axis", .integer(axis))])
  }

  /// How long an axis is, as a list of one number.
  mutating func length(_ x: Value, axis: Int) -> Value { apply("Gather", apply("Shape", x), axes([axis])) }

  /// The first rows of a table.
  ///
  /// - Parameter count: a list of one number.
  mutating func first(_ count: Value, of table: Value) -> Value { apply("Slice", table, axes([0]), count, axes([0])) }
}
