import Torch

/// A TempNet in the form in which it is fitted to rows of one kind.
public protocol FitNetwork: Module {
  associatedtype Rows: FitRows

  /// The name of its file in a `tempnet` artifact.
  static var file: String { get }
  /// Between which its temperatures lie.
  var bounds: ClosedRange<Double> { get }

  /// The temperatures of rows, [N]; differentiable in the parameters.
  ///
  /// - Parameter training: whether hidden units are dropped at random.
  func callAsFunction(_ rows: Rows, training: Bool) -> Tensor
  /// Moves the last bias so that temperatures whose mean is `mean` come to lie around `tau`.
  func start(at tau: Double, from mean: Double)
  /// Writes the network as it is now, in its published form.
  func save(_ path: String) throws
}
