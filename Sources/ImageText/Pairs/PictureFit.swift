/// How a picture of any shape becomes a square.
public enum PictureFit: String, Sendable, CaseIterable {
  /// The whole picture in the middle, white beside it.
  case pad
  /// The middle of it: the shorter side fits, what is beyond on the longer one is cut off. CLIP's way.
  case crop
  /// The whole picture, its sides scaled by different factors.
  case squash
}
