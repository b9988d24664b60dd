/// What of a dual encoder learns; the rest stays as it was.
public enum TrainedPart: String, CaseIterable, Sendable {
  case all
  /// The image side alone: the text side is locked.
  case image
  /// The text side alone, to a locked image side, as in LiT (Zhai et al. 2022).
  case text
  /// The projections into the common space; of heads on frozen towers, all of them.
  case heads

  /// Whether nothing of the image side learns.
  public var locksImages: Bool { self == .text }
  /// Whether nothing of the text side learns.
  public var locksTexts: Bool { self == .image }
}
