/// Whether the embeddings of pictures and texts can be compared.
public enum EmbeddingSpace: Equatable, Sendable {
  /// Each side has a tower and a space of its own.
  case apart
  /// Rows of both sides have unit length, and their products times the scale are logits.
  case joint(LogitScale)

  /// Nil for spaces apart.
  public var scale: LogitScale? { if case .joint(let scale) = self { scale } else { nil } }
}
