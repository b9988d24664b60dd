/// The captions of a picture that take part, in training or in retrieval.
public enum CaptionChoice: String, CaseIterable, Sendable {
  case all
  /// Each picture's first caption, its title.
  case titles
}

/// Which pictures a report shows.
public enum PictureChoice: String, CaseIterable, Sendable {
  /// Those whose licence allows it.
  case free
  case all
  case none
}
