// Operators of CTorch, registered with libtorch's dispatcher under `tempnet::`, where its own operators take many passes
// over memory. Callers have the same in plain tensor code for other types and devices.

extension Tensor {
  /// The tables of `TemperatureProfile` for logits, float32 [N, V] on the CPU; each is float32 [N, M].
  ///
  /// - Parameters:
  ///   - temperatures: M of them, rising, `perOctave` for each factor of 2.
  public func temperatureProfile(
    at temperatures: [Double], perOctave: Int
  ) -> (value: Tensor, entropy: Tensor, variance: Tensor) {
    let tables = Operator.must(
      "tempnet::temperature_profile", "",
      [.tensor(self), .tensor(Tensor(temperatures, shape: [temperatures.count])), .integer(perOctave)])
    return (tables[0], tables[1], tables[2])
  }

  /// The profile of the logits `self · weightᵀ` of hidden states, float32 [N, d] on the CPU. Only a slice of the logits
  /// exists at a time. Tables are float32 [N, M], the others float32 [N].
  ///
  /// - Parameters:
  ///   - weight: the unembedding, float32 [V, d], or bfloat16: then the hidden states are rounded too.
  ///   - labels: int64 [N].
  ///   - temperatures: as for `temperatureProfile`.
  public func unembeddingProfile(
    _ weight: Tensor, labels: Tensor, at temperatures: [Double], perOctave: Int
  ) -> (
    value: Tensor, entropy: Tensor, variance: Tensor, maximum: Tensor, norm: Tensor, centredNorm: Tensor,
    labelLogit: Tensor
  ) {
    let found = Operator.must(
      "tempnet::unembedding_profile", "",
      [
        .tensor(self), .tensor(weight), .tensor(labels),
        .tensor(Tensor(temperatures, shape: [temperatures.count])), .integer(perOctave),
      ])
    return (found[0], found[1], found[2], found[3], found[4], found[5], found[6])
  }

  /// The terms of `TemperedStatistics` for logits, float32 [N, V] on the CPU; each is float64 [N].
  ///
  /// - Parameter tau: float64 [N].
  public func temperedMoments(
    tau: Tensor
  ) -> (logPartition: Tensor, mean: Tensor, variance: Tensor, collision: Tensor) {
    let moments = Operator.must("tempnet::tempered_moments", "", [.tensor(self), .tensor(tau)])
    return (moments[0], moments[1], moments[2], moments[3])
  }

  /// The temperatures, float64 [N], at which softmax of logits, float32 [N, V] on the CPU, has this entropy in nats, each
  /// limited to the bounds.
  public func temperatures(ofEntropy entropy: Double, in bounds: ClosedRange<Double>) -> Tensor {
    Operator.one(
      "tempnet::temperature_of_entropy", "",
      [.tensor(self), .number(entropy), .number(bounds.lowerBound), .number(bounds.upperBound)])
  }
}

extension Tensor {
  /// `p = softmax(z/τ)`, [N, V], its cross-entropy with the labels and its entropy in nats, [N], of logits z, float32 [N, V]
  /// on the CPU.
  ///
  /// - Parameters:
  ///   - labels: int64 [N].
  ///   - tau: float32 [N].
  public func temperedTerms(
    labels: Tensor, tau: Tensor
  ) -> (probabilities: Tensor, crossEntropy: Tensor, entropy: Tensor) {
    let terms = Operator.must("tempnet::tempered_terms", "", [.tensor(self), .tensor(labels), .tensor(tau)])
    return (terms[0], terms[1], terms[2])
  }
}

// MARK: - Layers of a transformer, float32 on the CPU; differentiable

extension Tensor {
  /// Whether CTorch's operators take this tensor: float32 on the CPU.
  public var isCPUFloat32: Bool { device == .cpu && dtype == .float32 }

  /// `x / √(mean(x²) + epsilon) · weight` over the last dimension.
  public func rmsNorm(_ weight: Tensor, epsilon: Double) -> Tensor {
    Operator.one("tempnet::rms_norm", "", [.tensor(self), .tensor(weight), .number(epsilon)])
  }

  /// `silu(gate) ∘ up`, [..., width], of [gate, up] side by side, [..., 2 · width].
  public func gatedSiLU() -> Tensor { Operator.one("tempnet::gated_silu", "", [.tensor(self)]) }

  /// Causal attention softmax(q·kᵀ·scale)·v of queries [B, H, T, d] to keys and values [B, G, T, d] of the same windows,
  /// each shared by H/G heads: [B, H, T, d]. Any type, any device.
  ///
  /// - Parameters:
  ///   - scale: nil for 1/√d.
  ///   - ends: for each token the index after the last token that sees it, int64 [B, T]; every token sees itself. Nil:
  ///     all later tokens see it.
  public func causalAttention(to key: Tensor, _ value: Tensor, scale: Double? = nil, ends: Tensor? = nil) -> Tensor {
    Operator.one(
      "tempnet::attention", "",
      [
        .tensor(self), .tensor(key), .tensor(value), .number(scale ?? 1 / Double(size(3)).squareRoot()),
        ends.map(Argument.tensor) ?? .none,
      ])
  }

  /// Heads [B, T, heads, width] with each pair of elements (i, i + half) rotated.
  ///
  /// - Parameter cosines, sines: of the angles, [T, 1, half] or [B, T, 1, half].
  public func rotated(cosines: Tensor, sines: Tensor) -> Tensor {
    Operator.one("tempnet::rotate", "", [.tensor(self), .tensor(cosines), .tensor(sines)])
  }
}
