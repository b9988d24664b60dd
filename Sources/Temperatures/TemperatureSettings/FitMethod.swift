/// The way in which a fit to the rows of a language model computes temperatures and losses.
public enum FitMethod: String, CaseIterable, Sendable {
  /// From tabulated temperature profiles, with the first layer multiplied through the unembedding.
  case profile
  /// From full logits, as published; slower, and the reference for `profile`.
  case logits
}
