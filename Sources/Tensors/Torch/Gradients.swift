import CTorch

extension Tensor {
  /// Whether operations on this tensor are recorded for `backward()`.
  public var requiresGradient: Bool { ctorch_requires_gradient(reference) }

  /// Has `backward()` compute the gradient with respect to this leaf; returns the tensor itself.
  @discardableResult
  public func requiringGradient(_ required: Bool = true) -> Tensor {
    Operator.check("requires_grad", [.tensor(self)]) { ctorch_set_requires_gradient(reference, required) }
    return self
  }

  /// Differentiates this scalar and adds the result to `gradient` of every leaf it depends on.
  public func backward() {
    Operator.check("backward", [.tensor(self)]) { ctorch_backward(reference, nil) }
  }

  /// As above, for a loss that was computed elsewhere, from its gradient with respect to this tensor.
  public func backward(_ gradient: Tensor) {
    Operator.check("backward", [.tensor(self), .tensor(gradient)]) {
      ctorch_backward(reference, gradient.reference)
    }
  }

  /// The sum of the gradients of `backward()`, or nil before the first.
  public var gradient: Tensor? {
    var result: ctorch_tensor_ref?
    Operator.check("grad", [.tensor(self)]) { ctorch_gradient(reference, &result) }
    return result.map(Tensor.init(owning:))
  }

  public func clearGradient() {
    Operator.check("clear_grad", [.tensor(self)]) { ctorch_clear_gradient(reference) }
  }

  /// The same elements without the recorded operations.
  public func detached() -> Tensor { Operator.one("aten::detach", "", [.tensor(self)]) }
}

/// Runs `body` on this thread without recording operations for `backward()`.
public func withoutGradients<Result, Failure: Error>(_ body: () throws(Failure) -> Result) throws(Failure) -> Result {
  let before = ctorch_set_gradients_enabled(false)
  defer { _ = ctorch_set_gradients_enabled(before) }
  return try body()
}
