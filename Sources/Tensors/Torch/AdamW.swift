/// AdamW (Loshchilov & Hutter 2019) over libtorch's fused kernel. Each group has its own learning rate and weight decay.
public final class AdamW {
  public struct Group {
    public let name: String
    public let parameters: [NamedTensor]
    /// Set before each step by the schedule.
    public var learningRate: Double
    public let weightDecay: Double

    public init(name: String, parameters: [NamedTensor], learningRate: Double, weightDecay: Double) {
      self.name = name
      self.parameters = parameters
      self.learningRate = learningRate
      self.weightDecay = weightDecay
    }
  }

  public var groups: [Group]
  private let beta1: Double
  private let beta2: Double
  private let epsilon: Double
  private let moments: [[Moments]]

  private struct Moments {
    let first: Tensor
    let second: Tensor
    /// The number of steps taken: float32 [], as the kernel takes it.
    let step: Tensor
  }

  public init(_ groups: [Group], beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8) {
    self.groups = groups
    self.beta1 = beta1
    self.beta2 = beta2
    self.epsilon = epsilon
    moments = groups.map { group in
      group.parameters.map { parameter in
        let tensor = parameter.tensor
        func zeros() -> Tensor { .zeros(tensor.shape, dtype: tensor.dtype, device: tensor.device) }
        return Moments(first: zeros(), second: zeros(), step: .zeros([], device: tensor.device))
      }
    }
  }

  /// Updates the parameters that have a gradient.
  public func step() {
    for (group, moments) in zip(groups, moments) {
      let updated = zip(group.parameters, moments).compactMap { parameter, moments in
        parameter.tensor.gradient.map { (parameter.tensor, $0, moments) }
      }
      if !updated.isEmpty { update(updated, group) }
    }
  }

  private func update(_ items: [(parameter: Tensor, gradient: Tensor, moments: Moments)], _ group: Group) {
    withoutGradients {
      let steps = items.map(\.moments.step)
      Operator.must("aten::_foreach_add_", "Scalar", [.tensors(steps), .number(1)])
      Operator.must(
        "aten::_fused_adamw_", "",
        [
          .tensors(items.map(\.parameter)), .tensors(items.map(\.gradient)), .tensors(items.map(\.moments.first)),
          .tensors(items.map(\.moments.second)), .tensors([]), .tensors(steps),
        ],
        named: [
          "lr": .number(group.learningRate), "beta1": .number(beta1), "beta2": .number(beta2),
          "weight_decay": .number(group.weightDecay), "eps": .number(epsilon), "amsgrad": .flag(false),
          "maximize": .flag(false),
        ])
    }
  }

  public func clearGradients() {
    for parameter in groups.flatMap(\.parameters) { parameter.tensor.clearGradient() }
  }

  /// The moments and step counts for a checkpoint, named after the parameters.
  public var state: [NamedTensor] {
    zip(groups, moments).flatMap { group, moments in
      zip(group.parameters, moments).flatMap { parameter, moments in
        [
          NamedTensor("\(group.name).\(parameter.name).first_moment", moments.first),
          NamedTensor("\(group.name).\(parameter.name).second_moment", moments.second),
          NamedTensor("\(group.name).\(parameter.name).step", moments.step),
        ]
      }
    }
  }
}

/// Scales the gradients so that their common Euclidean norm is at most `limit`.
///
/// - Returns: the norm before, a tensor [], so that the caller decides when to wait for the device.
@discardableResult
public func clipGradients(of parameters: [NamedTensor], to limit: Double) -> Tensor {
  let gradients = parameters.compactMap { $0.tensor.gradient }
  guard !gradients.isEmpty else { return Tensor(scalar: 0) }
  return withoutGradients {
    let norms = Operator.must("aten::_foreach_norm", "Scalar", [.tensors(gradients), .number(2)])
    let norm = Tensor.stack(norms).norm(0)
    // PyTorch's clip_grad_norm_ adds 1e-6 too. Gradients whose norm is not finite stay as they are, so that the loop can name
    // the tensor at fault.
    let isFinite = norm.abs().less(.infinity)
    let factor = isFinite.choose(
      (limit / (norm + 1e-6)).clamped(nil, 1), .ones([], dtype: norm.dtype, device: norm.device))
    Operator.must("aten::_foreach_mul_", "Tensor", [.tensors(gradients), .tensor(factor)])
    return norm
  }
}

private func / (a: Double, b: Tensor) -> Tensor { b.reciprocal() * a }
