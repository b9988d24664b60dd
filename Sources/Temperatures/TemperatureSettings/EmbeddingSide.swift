/// The side of a pair that an embedding, a temperature or a TempNet belongs to.
public enum EmbeddingSide: String, CaseIterable, Sendable {
  case image, text

  public var other: EmbeddingSide { self == .image ? .text : .image }
}
