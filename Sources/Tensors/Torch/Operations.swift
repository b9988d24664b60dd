// Typed wrappers of the operators this project uses. Shapes follow PyTorch's rules of broadcasting.

// MARK: - Arithmetic

extension Tensor {
  public static func + (a: Tensor, b: Tensor) -> Tensor {
    Operator.one("aten::add", "Tensor", [.tensor(a), .tensor(b)])
  }
  public static func - (a: Tensor, b: Tensor) -> Tensor {
    Operator.one("aten::sub", "Tensor", [.tensor(a), .tensor(b)])
  }
  public static func * (a: Tensor, b: Tensor) -> Tensor {
    Operator.one("aten::mul", "Tensor", [.tensor(a), .tensor(b)])
  }
  public static func / (a: Tensor, b: Tensor) -> Tensor {
    Operator.one("aten::div", "Tensor", [.tensor(a), .tensor(b)])
  }
  public static func + (a: Tensor, b: Double) -> Tensor {
    Operator.one("aten::add", "Scalar", [.tensor(a), .number(b)])
  }
  public static func - (a: Tensor, b: Double) -> Tensor {
    Operator.one("aten::sub", "Scalar", [.tensor(a), .number(b)])
  }
  public static func * (a: Tensor, b: Double) -> Tensor {
    Operator.one("aten::mul", "Scalar", [.tensor(a), .number(b)])
  }
  public static func / (a: Tensor, b: Double) -> Tensor {
    Operator.one("aten::div", "Scalar", [.tensor(a), .number(b)])
  }
  public static func + (a: Double, b: Tensor) -> Tensor { b + a }
  public static func * (a: Double, b: Tensor) -> Tensor { b * a }
  public static func - (a: Double, b: Tensor) -> Tensor { -b + a }
  public static prefix func - (a: Tensor) -> Tensor { Operator.one("aten::neg", "", [.tensor(a)]) }

  /// `self + a ∘ b · scale`, without a tensor in between.
  public func addingProduct(_ a: Tensor, _ b: Tensor, scale: Double = 1) -> Tensor {
    Operator.one("aten::addcmul", "", [.tensor(self), .tensor(a), .tensor(b)], named: ["value": .number(scale)])
  }

  public func exp() -> Tensor { Operator.one("aten::exp", "", [.tensor(self)]) }
  public func log() -> Tensor { Operator.one("aten::log", "", [.tensor(self)]) }
  public func abs() -> Tensor { Operator.one("aten::abs", "", [.tensor(self)]) }
  public func sqrt() -> Tensor { Operator.one("aten::sqrt", "", [.tensor(self)]) }
  public func square() -> Tensor { Operator.one("aten::square", "", [.tensor(self)]) }
  public func cos() -> Tensor { Operator.one("aten::cos", "", [.tensor(self)]) }
  public func sin() -> Tensor { Operator.one("aten::sin", "", [.tensor(self)]) }
  public func sigmoid() -> Tensor { Operator.one("aten::sigmoid", "", [.tensor(self)]) }
  public func reciprocal() -> Tensor { Operator.one("aten::reciprocal", "", [.tensor(self)]) }
  public func clamped(_ low: Double?, _ high: Double?) -> Tensor {
    Operator.one(
      "aten::clamp", "", [.tensor(self), low.map(Argument.number) ?? .none, high.map(Argument.number) ?? .none])
  }
  public func clamped(_ low: Tensor?, _ high: Tensor?) -> Tensor {
    Operator.one(
      "aten::clamp", "Tensor", [.tensor(self), low.map(Argument.tensor) ?? .none, high.map(Argument.tensor) ?? .none])
  }
}

// MARK: - Products

extension Tensor {
  public func matmul(_ other: Tensor) -> Tensor {
    if isCPUFloat32 && other.isCPUFloat32 && other.rank == 2 { return linear(other.transposed()) }
    return Operator.one("aten::matmul", "", [.tensor(self), .tensor(other)])
  }
  /// `self · weightᵀ + bias` for a weight of shape [out, in].
  ///
  /// - Parameter computeType: bfloat16 for factors that are rounded to it, in the gradients too, while products and sums
  ///   stay in float32; a weight may then have that type itself. It counts only where this tensor is float32 on the CPU.
  public func linear(_ weight: Tensor, bias: Tensor? = nil, computeType: DType = .float32) -> Tensor {
    let arguments: [Argument] = [.tensor(self), .tensor(weight), bias.map(Argument.tensor) ?? .none]
    return isCPUFloat32
      ? Operator.one("tempnet::linear", "", arguments + [.flag(computeType == .bfloat16)])
      : Operator.one("aten::linear", "", arguments)
  }
}

// MARK: - Reductions

extension Tensor {
  public func sum() -> Tensor { Operator.one("aten::sum", "", [.tensor(self)]) }
  public func mean() -> Tensor { Operator.one("aten::mean", "", [.tensor(self)]) }
  public func sum(_ dimensions: Int..., keeping: Bool = false, dtype: DType? = nil) -> Tensor {
    Operator.one(
      "aten::sum", "dim_IntList", [.tensor(self), .integers(dimensions), .flag(keeping)],
      named: ["dtype": dtype.map(Argument.dtype) ?? .none])
  }
  public func mean(_ dimensions: Int..., keeping: Bool = false) -> Tensor {
    Operator.one("aten::mean", "dim", [.tensor(self), .integers(dimensions), .flag(keeping)])
  }
  public func maximum(_ dimension: Int, keeping: Bool = false) -> Tensor {
    Operator.one("aten::amax", "", [.tensor(self), .integers([dimension]), .flag(keeping)])
  }
  /// The index of the largest element; the first on ties.
  public func argmax(_ dimension: Int) -> Tensor {
    Operator.one("aten::argmax", "", [.tensor(self), .integer(dimension)])
  }
  /// The Euclidean norm along one dimension.
  public func norm(_ dimension: Int, keeping: Bool = false) -> Tensor {
    Operator.one("aten::linalg_vector_norm", "", [.tensor(self), .number(2), .integers([dimension]), .flag(keeping)])
  }
  /// Vectors along the last dimension divided by their Euclidean norm, or by `epsilon` where that is greater.
  public func unitRows(epsilon: Double = 1e-12) -> Tensor { self / norm(-1, keeping: true).clamped(epsilon, nil) }
  public func logSumExp(_ dimension: Int, keeping: Bool = false) -> Tensor {
    Operator.one("aten::logsumexp", "", [.tensor(self), .integers([dimension]), .flag(keeping)])
  }
  public func softmax(_ dimension: Int) -> Tensor {
    Operator.one("aten::softmax", "int", [.tensor(self), .integer(dimension)])
  }
  public func logSoftmax(_ dimension: Int) -> Tensor {
    Operator.one("aten::log_softmax", "int", [.tensor(self), .integer(dimension)])
  }
  public func replacingNaN(by value: Double) -> Tensor {
    Operator.one("aten::nan_to_num", "", [.tensor(self), .number(value)])
  }
  /// Where elements are finite, as booleans.
  public func finite() -> Tensor { Operator.one("aten::isfinite", "", [.tensor(self)]) }
  /// Whether every element is finite, as a boolean scalar.
  public func allFinite() -> Tensor {
    guard count > 0 else { return .ones([], dtype: .bool, device: device) }
    // One pass instead of the four of `finite`: NaN reaches both ends, and an infinity is the least or the greatest element.
    let ends = Operator.must("aten::aminmax", "", [.tensor(self)])
    return (ends[1] - ends[1] + (ends[0] - ends[0])).equal(0)
  }
}

// MARK: - Shape and selection

extension Tensor {
  public func reshaped(_ shape: [Int]) -> Tensor {
    Operator.one("aten::reshape", "", [.tensor(self), .integers(shape)])
  }
  public func transposed(_ a: Int = -2, _ b: Int = -1) -> Tensor {
    Operator.one("aten::transpose", "int", [.tensor(self), .integer(a), .integer(b)])
  }
  /// A view of the elements of a tensor that lies in one piece; the caller has checked that it stays within it.
  ///
  /// - Parameters:
  ///   - strides: elements from one index to the next, for each dimension.
  ///   - offset: elements before the first one.
  public func view(_ shape: [Int], strides: [Int], offset: Int) -> Tensor {
    Operator.one("aten::as_strided", "", [.tensor(self), .integers(shape), .integers(strides), .integer(offset)])
  }
  public func contiguous() -> Tensor { Operator.one("aten::contiguous", "", [.tensor(self)]) }
  public func squeezed(_ dimension: Int) -> Tensor {
    Operator.one("aten::squeeze", "dim", [.tensor(self), .integer(dimension)])
  }
  public func unsqueezed(_ dimension: Int) -> Tensor {
    Operator.one("aten::unsqueeze", "", [.tensor(self), .integer(dimension)])
  }
  /// The elements of one dimension in reverse order.
  public func flipped(_ dimension: Int) -> Tensor {
    Operator.one("aten::flip", "", [.tensor(self), .integers([dimension])])
  }
  public func expanded(_ shape: [Int]) -> Tensor {
    Operator.one("aten::expand", "", [.tensor(self), .integers(shape)])
  }
  /// Elements `range` of one dimension; shares memory.
  public func narrowed(_ dimension: Int, _ range: Range<Int>) -> Tensor {
    Operator.one(
      "aten::narrow", "", [.tensor(self), .integer(dimension), .integer(range.lowerBound), .integer(range.count)])
  }
  /// Rows `range`; shares memory.
  public subscript(range: Range<Int>) -> Tensor { narrowed(0, range) }
  /// One element of the first dimension; shares memory.
  public subscript(index: Int) -> Tensor {
    Operator.one("aten::select", "int", [.tensor(self), .integer(0), .integer(index)])
  }
  public func selected(_ dimension: Int, at index: Int) -> Tensor {
    Operator.one("aten::select", "int", [.tensor(self), .integer(dimension), .integer(index)])
  }
  /// The slices of one dimension with the given indices, an integer tensor of rank 1.
  public func selected(_ dimension: Int, indices: Tensor) -> Tensor {
    Operator.one("aten::index_select", "", [.tensor(self), .integer(dimension), .tensor(indices)])
  }
  public func gathered(_ dimension: Int, _ indices: Tensor) -> Tensor {
    Operator.one("aten::gather", "", [.tensor(self), .integer(dimension), .tensor(indices)])
  }
  public func chunks(_ count: Int, dimension: Int) -> [Tensor] {
    Operator.must("aten::chunk", "", [.tensor(self), .integer(count), .integer(dimension)])
  }
  public func split(_ sizes: [Int], dimension: Int) -> [Tensor] {
    Operator.must("aten::split_with_sizes", "", [.tensor(self), .integers(sizes), .integer(dimension)])
  }
  /// Positions where a boolean or numeric tensor is not zero, [count, rank].
  public func nonzero() -> Tensor { Operator.one("aten::nonzero", "", [.tensor(self)]) }
  /// For each number in a row of `values` the count of numbers in the same row of this tensor, which is sorted, that do not
  /// exceed it: int64, in the shape of `values`.
  public func countsUpTo(_ values: Tensor) -> Tensor {
    Operator.one(
      "aten::searchsorted", "Tensor", [.tensor(self), .tensor(values.contiguous())], named: ["right": .flag(true)])
  }
}

// MARK: - Comparison and choice

extension Tensor {
  public func equal(_ other: Tensor) -> Tensor { Operator.one("aten::eq", "Tensor", [.tensor(self), .tensor(other)]) }
  public func equal(_ value: Double) -> Tensor { Operator.one("aten::eq", "Scalar", [.tensor(self), .number(value)]) }
  public func less(_ other: Tensor) -> Tensor { Operator.one("aten::lt", "Tensor", [.tensor(self), .tensor(other)]) }
  public func less(_ value: Double) -> Tensor { Operator.one("aten::lt", "Scalar", [.tensor(self), .number(value)]) }
  public func greater(_ other: Tensor) -> Tensor {
    Operator.one("aten::gt", "Tensor", [.tensor(self), .tensor(other)])
  }
  public func greater(_ value: Double) -> Tensor {
    Operator.one("aten::gt", "Scalar", [.tensor(self), .number(value)])
  }
  public func and(_ other: Tensor) -> Tensor {
    Operator.one("aten::logical_and", "", [.tensor(self), .tensor(other)])
  }
  public func or(_ other: Tensor) -> Tensor {
    Operator.one("aten::logical_or", "", [.tensor(self), .tensor(other)])
  }
  public func not() -> Tensor { Operator.one("aten::logical_not", "", [.tensor(self)]) }
  /// `yes` where this boolean tensor is true, `no` elsewhere.
  public func choose(_ yes: Tensor, _ no: Tensor) -> Tensor {
    Operator.one("aten::where", "self", [.tensor(self), .tensor(yes), .tensor(no)])
  }
  /// `value` where `mask` is true.
  public func masked(_ mask: Tensor, with value: Double) -> Tensor {
    Operator.one("aten::masked_fill", "Scalar", [.tensor(self), .tensor(mask), .number(value)])
  }
}

// MARK: - Conversion and copying

extension Tensor {
  public func to(_ dtype: DType) -> Tensor {
    self.dtype == dtype ? self : Operator.one("aten::to", "dtype", [.tensor(self), .dtype(dtype)])
  }
  public func to(_ device: Device) -> Tensor {
    self.device == device
      ? self
      : Operator.one("aten::to", "dtype_layout", [.tensor(self)], named: ["device": .device(device)])
  }
  public func cloned() -> Tensor { Operator.one("aten::clone", "", [.tensor(self)]) }
  /// Overwrites this tensor's elements; shapes must be equal.
  public func copy(from source: Tensor) {
    precondition(source.shape == shape, "cannot copy \(source.summary) over \(summary)")
    withoutGradients { _ = Operator.must("aten::copy_", "", [.tensor(self), .tensor(source)]) }
  }
  /// Overwrites rows; `rows` is an integer tensor of rank 1 without duplicates.
  public func copy(_ source: Tensor, toRows rows: Tensor) {
    withoutGradients {
      _ = Operator.must(
        "aten::index_copy_", "", [.tensor(self), .integer(0), .tensor(rows), .tensor(source)])
    }
  }
  public func fill(with value: Double) {
    withoutGradients { _ = Operator.must("aten::fill_", "Scalar", [.tensor(self), .number(value)]) }
  }
  /// Overwrites elements. `indices` has an integer tensor for each dimension; no element is named twice.
  public func put(_ values: Tensor, at indices: [Tensor]) {
    withoutGradients {
      _ = Operator.must("aten::index_put_", "", [.tensor(self), .optionalTensors(indices), .tensor(values)])
    }
  }
  /// Multiplies in place.
  public func multiply(by factor: Tensor) {
    withoutGradients { _ = Operator.must("aten::mul_", "Tensor", [.tensor(self), .tensor(factor)]) }
  }
  public func multiply(by factor: Double) {
    withoutGradients { _ = Operator.must("aten::mul_", "Scalar", [.tensor(self), .number(factor)]) }
  }
  /// Adds in place.
  public func add(_ other: Tensor, scale: Double = 1) {
    withoutGradients {
      _ = Operator.must("aten::add_", "Tensor", [.tensor(self), .tensor(other)], named: ["alpha": .number(scale)])
    }
  }
}

// MARK: - Layers

extension Tensor {
  public func gelu(approximate: Bool = false) -> Tensor {
    Operator.one("aten::gelu", "", [.tensor(self)], named: ["approximate": .text(approximate ? "tanh" : "none")])
  }
  /// x · σ(1.702 x), an approximation of GELU (Hendrycks and Gimpel 2016).
  public func quickGelu() -> Tensor { self * (self * 1.702).sigmoid() }
  public func silu() -> Tensor { Operator.one("aten::silu", "", [.tensor(self)]) }
  /// Sets elements to zero with the given probability and scales the others by 1/(1 - probability).
  public func dropout(_ probability: Double) -> Tensor {
    probability == 0 ? self : Operator.one("aten::dropout", "", [.tensor(self), .number(probability), .flag(true)])
  }
  /// Rows of `weight` [V, d] for ids of any shape: [..., d].
  public static func embedding(_ weight: Tensor, _ ids: Tensor) -> Tensor {
    Operator.one("aten::embedding", "", [.tensor(weight), .tensor(ids)])
  }
  /// softmax(q·kᵀ/√D + mask)·v over heads: [B, H, T, D]. With `grouped`, k and v may have fewer heads.
  public static func attention(
    _ query: Tensor, _ key: Tensor, _ value: Tensor, mask: Tensor?, grouped: Bool = false
  ) -> Tensor {
    Operator.one(
      "aten::scaled_dot_product_attention", "",
      [.tensor(query), .tensor(key), .tensor(value), mask.map(Argument.tensor) ?? .none, .number(0), .flag(false)],
      named: ["enable_gqa": .flag(grouped)])
  }
}
