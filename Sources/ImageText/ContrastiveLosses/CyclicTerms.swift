import Torch

/// The squared asymmetries that CyCLIP adds to the cross-entropy (Goel et al. 2022, arXiv 2205.14459). With a and t the
/// rows of both sides, [B, E]:
///
///     inModal / B · Σ_ij (⟨a_i, a_j⟩ - ⟨t_i, t_j⟩)²  +  crossModal / B · Σ_ij (⟨a_i, t_j⟩ - ⟨a_j, t_i⟩)²
///
/// The published code divides the similarities by the temperature and multiplies the squares by its square, which cancels.
public struct CyclicTerms: Equatable, Sendable {
  public var inModal: Double
  public var crossModal: Double

  /// The defaults are those of the code that the fixtures come from.
  public init(inModal: Double = 0.25, crossModal: Double = 0.25) {
    (self.inModal, self.crossModal) = (inModal, crossModal)
  }

  struct Gradient {
    /// float64 [].
    let value: Tensor
    /// [R, E].
    let image: Tensor
    /// [R, E].
    let text: Tensor

    func followed(by next: Gradient) -> Gradient {
      Gradient(
        value: value + next.value, image: .concatenate([image, next.image]), text: .concatenate([text, next.text]))
    }
  }

  /// The terms' value over the rows i of some anchors, and the gradient by these rows. As both matrices are symmetric or
  /// antisymmetric, a row of them gives the whole gradient of its anchor.
  func gradient(_ image: Tensor, _ text: Tensor, anchors: Range<Int>) -> Gradient {
    let scale = 1 / Double(image.size(0))
    let (a, t) = (image[anchors], text[anchors])
    let within = a.matmul(image.transposed()) - t.matmul(text.transposed())
    let across = a.matmul(text.transposed()) - t.matmul(image.transposed())
    func squares(_ x: Tensor) -> Tensor { x.square().sum(0, 1, dtype: .float64) }
    return Gradient(
      value: squares(within) * (inModal * scale) + squares(across) * (crossModal * scale),
      image: within.matmul(image) * (4 * inModal * scale) + across.matmul(text) * (4 * crossModal * scale),
      text: within.matmul(text) * (-4 * inModal * scale) - across.matmul(image) * (4 * crossModal * scale))
  }
}
