/// Operators of our own, registered with libtorch's dispatcher under `tempnet::`, for work that its operators would do in
/// many passes over memory. Beside each stands, where it is used, the same in plain tensor code.

extension Tensor {
  /// What `TemperatureProfile` tabulates of logits, float32 [N, V] on the CPU; each result is float32 [N, M].
  ///
  /// - Parameters:
  ///   - temperatures: M of them, that rise with `perOctave` to the factor of two.
  public func temperatureProfile(
    at temperatures: [Double], perOctave: Int
  ) -> (value: Tensor, entropy: Tensor, variance: Tensor) {
    let tables = Operator.must(
      "tempnet::temperature_profile", "",
      [.tensor(self), .tensor(Tensor(temperatures, shape: [temperatures.count])), .integer(perOctave)])
    return (tables[0], tables[1], tables[2])
  }

  /// What a fit needs of the logits `self · weightᵀ` that an unembedding makes of hidden states, float32 [N, d] on the CPU,
  /// without ever holding more than a slice of them; tables are float32 [N, M], the others float32 [N].
  ///
  /// - Parameters:
  ///   - weight: float32 [V, d], or bfloat16, which has the hidden states rounded too.
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

  /// What `TemperedStatistics` is made of, for logits, float32 [N, V] on the CPU; each result is float64 [N].
  ///
  /// - Parameter tau: float64 [N].
  public func temperedMoments(
    tau: Tensor
  ) -> (logPartition: Tensor, mean: Tensor, variance: Tensor, collision: Tensor) {
    let moments = Operator.must("tempnet::tempered_moments", "", [.tensor(self), .tensor(tau)])
    return (moments[0], moments[1], moments[2], moments[3])
  }

  /// The temperatures, float64 [N], at which softmax of logits, float32 [N, V] on the CPU, has this entropy in nats, or the bounds
  /// that they lie beyond.
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
  /// Whether our own operators take this tensor.
  public var isFusible: Bool { device == .cpu && dtype == .float32 }

  /// `x / √(mean(x²) + epsilon) · weight` over the last dimension.
  public func rmsNorm(_ weight: Tensor, epsilon: Double) -> Tensor {
    Operator.one("tempnet::rms_norm", "", [.tensor(self), .tensor(weight), .number(epsilon)])
  }

  /// `silu(gate) ∘ up`, [..., width], of [gate, up] side by side, [..., 2 · width].
  public func gatedSiLU() -> Tensor { Operator.one("tempnet::gated_silu", "", [.tensor(self)]) }

  /// softmax(q·kᵀ·scale)·v of queries, heads [B, H, T, d], to the keys of the same windows up to their own, [B, G, T, d] for
  /// H/G queries each, and their values. Any type, any device.
  ///
  /// - Parameters:
  ///   - scale: 1/√d unless told.
  ///   - ends: for each token the index after the last one that sees it, int64 [B, T]; every token sees itself. Nil: all later
  ///     ones do.
  public func causalAttention(to key: Tensor, _ value: Tensor, scale: Double? = nil, ends: Tensor? = nil) -> Tensor {
    Operator.one(
      "tempnet::attention", "",
      [
        .tensor(self), .tensor(key), .tensor(value), .number(scale ?? 1 / Double(size(3)).squareRoot()),
        ends.map(Argument.tensor) ?? .none,
      ])
  }

  /// Heads [B, T, heads, width] whose element i has been turned together with element i + half.
  ///
  /// - Parameter cosines, sines: of the angles, [T, 1, half] or [B, T, 1, half].
  public func rotated(cosines: Tensor, sines: Tensor) -> Tensor {
    Operator.one("tempnet::rotate", "", [.tensor(self), .tensor(cosines), .tensor(sines)])
  }
}
