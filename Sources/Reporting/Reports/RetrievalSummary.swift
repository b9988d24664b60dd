import JSON

/// The figures of a retrieval that lists of many results show. The summary of a `retrieval` artifact's manifest holds them.
public struct RetrievalSummary: Equatable, Sendable {
  /// The leading loss on one test split.
  public struct Split: Equatable, Sendable {
    public let name: String
    public let pictures: Int
    public let captions: Int
    /// Of the leading loss, a mean over seeds and a share of 1, as are the differences.
    public let meanRecall: Double?
    /// That of the reference.
    public let referenceRecall: Double?
    public let difference: Double?
    /// `better`, `worse`, `equivalent` or `undecided`.
    public let verdict: String?

    public init(
      name: String, pictures: Int, captions: Int, meanRecall: Double?, referenceRecall: Double?, difference: Double?,
      verdict: String?
    ) {
      (self.name, self.pictures, self.captions) = (name, pictures, captions)
      (self.meanRecall, self.referenceRecall) = (meanRecall, referenceRecall)
      (self.difference, self.verdict) = (difference, verdict)
    }
  }

  /// The loss with the best validation beside CLIP.
  public let leading: String?
  /// CLIP at its best fixed temperature, or learned.
  public let reference: String?
  public let runs: Int?
  public let splits: [Split]
  public let headline: String?

  public init(leading: String?, reference: String?, runs: Int, splits: [Split], headline: String) {
    (self.leading, self.reference, self.runs, self.splits) = (leading, reference, runs, splits)
    self.headline = headline
  }
}

// MARK: - As members of a manifest

/// The names in the manifest's order.
private enum Member {
  static let leading = "leading"
  static let reference = "reference"
  static let runs = "runs"
  static let splits = "splits"
  static let headline = "headline"
  static let name = "name"
  static let pictures = "pictures"
  static let captions = "captions"
  static let meanRecall = "meanRecall"
  static let referenceRecall = "referenceRecall"
  static let difference = "difference"
  static let verdict = "verdict"
}

extension RetrievalSummary {
  /// Reads a manifest's summary. Members that are missing are nil.
  public init(_ summary: JSON) {
    leading = summary[Member.leading]?.stringValue
    reference = summary[Member.reference]?.stringValue
    runs = summary[Member.runs]?.intValue
    splits = (summary[Member.splits]?.arrayValue ?? []).compactMap(Split.init)
    headline = summary[Member.headline]?.stringValue
  }

  public var json: JSON {
    [
      Member.leading: leading.map(JSON.string) ?? .null, Member.reference: reference.map(JSON.string) ?? .null,
      Member.runs: runs.map(JSON.integer) ?? .null, Member.splits: .array(splits.map(\.json)),
      Member.headline: headline.map(JSON.string) ?? .null,
    ]
  }
}

extension RetrievalSummary.Split {
  fileprivate init?(_ json: JSON) {
    guard let name = json[Member.name]?.stringValue, let pictures = json[Member.pictures]?.intValue,
      let captions = json[Member.captions]?.intValue
    else { return nil }
    func number(_ member: String) -> Double? { json[member]?.doubleValue }
    self.init(
      name: name, pictures: pictures, captions: captions, meanRecall: number(Member.meanRecall),
      referenceRecall: number(Member.referenceRecall), difference: number(Member.difference),
      verdict: json[Member.verdict]?.stringValue)
  }

  fileprivate var json: JSON {
    [
      Member.name: .string(name), Member.pictures: .integer(pictures), Member.captions: .integer(captions),
      Member.meanRecall: .number(orNull: meanRecall), Member.referenceRecall: .number(orNull: referenceRecall),
      Member.difference: .number(orNull: difference), Member.verdict: verdict.map(JSON.string) ?? .null,
    ]
  }
}
