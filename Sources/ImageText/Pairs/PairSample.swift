/// What a source says of a picture besides its pixels.
public struct PairDescription: Equatable, Sendable {
  /// Without white space around them, none empty, none twice; the first is the picture's title.
  public var captions: [String] = []
  public var concept: String?
  public var style: String?
  public var label: String?
  public var licence: String?
  public var isFree: Bool?
  public var split: String?

  public init(captions: [String] = []) { self.captions = captions }

  /// Takes over what this one does not state.
  mutating func add(_ other: PairDescription) {
    captions += other.captions.filter { !captions.contains($0) }
    concept = concept ?? other.concept
    style = style ?? other.style
    label = label ?? other.label
    licence = licence ?? other.licence
    isFree = isFree ?? other.isFree
    split = split ?? other.split
  }
}

/// A picture of a source with what is said of it, not decoded yet.
public struct PairSample: Sendable {
  public enum Content: Sendable {
    case bytes([UInt8])
    /// The path of a file that is read when the picture is decoded.
    case file(String)
  }

  /// The name of its source.
  public var source: String
  /// Its place in the source, for people.
  public var member: String
  public var content: Content
  public var description: PairDescription
}

/// What a source holds next: a sample, or something that is none, with the reason.
public enum PairItem: Sendable {
  case sample(PairSample)
  case leftOut(PairsArtifact.LeftOut)
}

/// Reads the samples of a source, one after the other, always in the same order.
protocol PairReader: AnyObject {
  /// - Throws: `Failure(.badData)` for a source that cannot be read on, such as a truncated archive.
  func next() throws -> PairItem?
}

/// The largest files of a sample that are read: pictures, and everything else.
enum PairLimits {
  static let picture = 1 << 27
  static let text = 1 << 24
}
