import TemperatureSettings

/// The kind of a row of features.
public enum FeatureKind: String, CaseIterable, Sendable {
  case tokens, images, texts

  /// One of them, in words.
  public var item: String {
    switch self {
    case .tokens: "token"
    case .images: "image"
    case .texts: "text"
    }
  }

  /// The side of pairs that rows belong to; nil for tokens.
  public var side: EmbeddingSide? {
    switch self {
    case .tokens: nil
    case .images: .image
    case .texts: .text
    }
  }
}

extension EmbeddingSide {
  /// The kind of a row of features of this side.
  public var kind: FeatureKind {
    switch self {
    case .image: .images
    case .text: .texts
    }
  }
}
