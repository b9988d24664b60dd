/// Pictures and their captions, without the pixels. An id is a position: pictures and captions are counted from 0 in the
/// order in which they were read, and every per-sample state, embedding and figure is filed under that position.
public struct PairTable: Equatable, Sendable {
  public struct Picture: Equatable, Sendable {
    /// The source that it came from, by its name in the artifact: `noto-emoji`.
    public var source: String
    /// Its place in the source, for people: `emoji_u1f600.png`.
    public var member: String
    /// What it shows, if the source says so. Pictures of one concept are never in two of train, validation and test.
    public var concept: String?
    /// The art style or collection, if the source says so.
    public var style: String?
    /// An index into ``PairTable/classes``; nil where no class is known.
    public var label: Int?
    public var licence: String?
    /// Whether its licence allows to show it in what is passed on.
    public var isFree: Bool
    public var split: PairSplit
    /// Equal for pictures of equal pixels: the position of the first of them.
    public var group: Int
    /// The positions of its captions, at least one.
    public var captions: Range<Int>

    public init(
      source: String, member: String, concept: String? = nil, style: String? = nil, label: Int? = nil,
      licence: String? = nil, isFree: Bool = false, split: PairSplit, group: Int, captions: Range<Int>
    ) {
      (self.source, self.member, self.concept, self.style) = (source, member, concept, style)
      (self.label, self.licence, self.isFree, self.split) = (label, licence, isFree, split)
      (self.group, self.captions) = (group, captions)
    }
  }

  public struct Caption: Equatable, Sendable {
    public var text: String
    /// The position of its picture.
    public var picture: Int
    /// Equal for equal texts: the position of the first of them.
    public var group: Int

    public init(_ text: String, picture: Int, group: Int) {
      (self.text, self.picture, self.group) = (text, picture, group)
    }
  }

  public var pictures: [Picture]
  public var captions: [Caption]
  /// The names of the classes that labels count; empty where the sources have none.
  public var classes: [String]

  public init(pictures: [Picture] = [], captions: [Caption] = [], classes: [String] = []) {
    (self.pictures, self.captions, self.classes) = (pictures, captions, classes)
  }

  /// The positions of a split's pictures, ascending.
  public func pictures(of split: PairSplit) -> [Int] { pictures.indices.filter { pictures[$0].split == split } }

  /// The positions of the captions of a split's pictures, ascending.
  ///
  /// - Parameter isFirstOnly: only each picture's first caption, its title. The tests of the published emoji experiment
  ///   search among titles; sets with several captions of equal rank search among all.
  public func captions(of split: PairSplit, isFirstOnly: Bool = false) -> [Int] {
    pictures(of: split).flatMap { isFirstOnly ? pictures[$0].captions.prefix(1) : pictures[$0].captions }
  }

  /// The splits that have pictures, in the order of ``PairSplit``.
  public var splits: [PairSplit] { Set(pictures.map(\.split)).sorted() }
}
