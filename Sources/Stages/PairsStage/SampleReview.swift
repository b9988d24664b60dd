import Diagnostics
import JSON
import OrderedCollections
import Pairs
import StageDescriptions

/// A first look through the decoded samples: what cannot be used, and which concepts are trained on.
struct SampleReview {
  private struct Reason {
    var count = 0
    var first: String
  }

  private(set) var samples = 0
  private(set) var leftOut = 0
  /// Concepts that a picture of a trained style shows; only filled where a style is held out.
  private(set) var trained: Set<String> = []
  private var reasons: OrderedDictionary<String, Reason> = [:]

  init(_ decoded: DecodedSamples, _ splits: SplitRule) throws {
    var records = try decoded.records()
    while let record = try records.next() {
      samples += 1
      switch record {
      case .leftOut(let sample):
        leftOut += 1
        // Reasons of one kind differ in names, which stand in quotation marks, and in numbers.
        let kind = sample.reason.replacing(/'[^']*'|\d+/, with: "…")
        reasons[kind, default: Reason(first: "\(sample.source): \(sample.member)")].count += 1
      case .picture(let picture):
        guard !splits.styleTests.isEmpty, splits.styleTest(of: picture.description.style) == nil else { continue }
        let concept = picture.concept
        if splits.split(ofConcept: concept) == .train { trained.insert(concept) }
      }
    }
  }

  /// Warns of samples that cannot be used.
  ///
  /// - Throws: `Failure(.badData)` where they are more than a share of all, or where there are none at all.
  func check(limit: Double, at place: String) throws {
    guard samples > 0 else { throw Failure(.badData, "there are no pairs in it", at: place) }
    guard leftOut > 0 else { return }
    let finding = "\(leftOut) of \(counted(samples, "sample")) cannot be used"
    guard Double(leftOut) <= limit * Double(samples) else {
      throw Failure(.badData, "\(finding), more than left_out_limit = \(limit) allows: \(list)", at: place)
    }
    Log.warning("\(finding): \(list)")
  }

  /// The most frequent reasons, each with its first sample.
  private var list: String {
    let shown = reasons.sorted { ($1.value.count, $0.key) < ($0.value.count, $1.key) }.prefix(5)
    let list = shown.map { "\($0.value.count) x \($0.key) (first \($0.value.first))" }.joined(separator: "; ")
    return reasons.count > shown.count ? "\(list); \(reasons.count - shown.count) further reasons" : list
  }
}
