import Torch

/// What the losses remember of each sample of one side between the steps that it takes part in, by its position.
///
///     s    the moving average of the anchor's normaliser, in units of exp(b); 0 of a sample never seen
///     b    the largest exponent seen so far
///     u    the momentum of the anchor's temperature, and
///     tau  that temperature itself: only of a loss with individual temperatures
public struct SideState: Sendable {
  /// [N].
  public let s: Tensor
  /// [N].
  public let b: Tensor
  public let individual: Individual?

  public struct Individual: Sendable {
    /// [N].
    public let u: Tensor
    /// [N].
    public let tau: Tensor
  }

  /// The state before the first step.
  ///
  /// - Parameters:
  ///   - count: N.
  ///   - tau: the first temperature of every sample, of a loss with individual ones.
  public init(count: Int, tau: Double? = nil, dtype: DType = .float32, device: Device = .cpu) {
    func zeros() -> Tensor { .zeros([count], dtype: dtype, device: device) }
    (s, b) = (zeros(), zeros())
    individual = tau.map { Individual(u: zeros(), tau: .full([count], $0, dtype: dtype, device: device)) }
  }

  /// The tensors for a checkpoint, and for `states.safetensors`.
  public var tensors: [NamedTensor] {
    [NamedTensor("s", s), NamedTensor("b", b)]
      + (individual.map { [NamedTensor("u", $0.u), NamedTensor("tau", $0.tau)] } ?? [])
  }

  /// The states of a batch's anchors.
  public func averages(of ids: SampleIds) -> AnchorAverages {
    let rows = ids.tensor.to(s.device)
    return AnchorAverages(s: s.selected(0, indices: rows), b: b.selected(0, indices: rows))
  }

  public func set(_ averages: AnchorAverages, of ids: SampleIds) {
    let rows = ids.tensor.to(s.device)
    s.copy(averages.s, toRows: rows)
    b.copy(averages.b, toRows: rows)
  }

  /// How many samples have never been anchors.
  public var unseen: Int { Int(s.equal(0).to(.int64).sum().item) }
}

extension SideState.Individual {
  /// The temperatures of a batch's anchors, [B].
  public func temperatures(of ids: SampleIds) -> Tensor { tau.selected(0, indices: ids.tensor.to(tau.device)) }

  /// One step of the temperatures of a batch's anchors (iSogCLR; Qiu et al. 2023, arXiv 2305.11965, as in
  /// `Bimodal_CL/models/losses.py`):
  ///
  ///     u ← (1 - β) u + β · clip(slope, ±5)
  ///     τ ← clip(τ - η u, bounds)
  ///
  /// - Parameter slopes: the estimated derivative of each anchor's objective by its temperature, [B].
  public func step(_ slopes: Tensor, of ids: SampleIds, _ rule: TemperatureStep) {
    let rows = ids.tensor.to(tau.device)
    let momentum =
      u.selected(0, indices: rows) * (1 - rule.momentum)
      + slopes.clamped(-rule.clip, rule.clip) * rule.momentum
    u.copy(momentum, toRows: rows)
    let moved = tau.selected(0, indices: rows) - momentum * rule.rate
    tau.copy(moved.clamped(rule.bounds.lowerBound, rule.bounds.upperBound), toRows: rows)
  }
}

/// How individual temperatures are learned.
public struct TemperatureStep: Equatable, Sendable {
  /// η.
  public var rate: Double
  /// β, the share of the new slope.
  public var momentum: Double
  /// The largest slope that counts.
  public var clip: Double
  public var bounds: ClosedRange<Double>

  /// The defaults are the published values, but for the rate and the bounds, which depend on the data.
  public init(rate: Double, momentum: Double = 0.5, clip: Double = 5, bounds: ClosedRange<Double>) {
    (self.rate, self.momentum, self.clip, self.bounds) = (rate, momentum, clip, bounds)
  }
}
