import Diagnostics
import JSON

/// Reads what stands beside a picture: `.txt`, `.json` and `.cls`.
struct SampleTexts: Sendable {
  var fields: PairFields
  /// Whether a text holds a caption in each line, and not one in all.
  var hasCaptionLines = false
  /// The names of the classes that numbers in `.cls` count; empty where the source does not say.
  var classes: [String] = []

  static let endings = ["txt", "json", "cls"]

  /// - Throws: `Failure(.badData)` without a place for what cannot be read.
  func description(_ bytes: [UInt8], ending: String) throws -> PairDescription {
    switch ending {
    case "json":
      guard let json = try? JSON(parsing: bytes, source: "its .json"), let object = json.objectValue else {
        throw Failure(.badData, "its .json is no object of JSON")
      }
      return fields.description(of: object)
    case "cls":
      var description = PairDescription()
      let label = try text(bytes, ".cls")
      description.label = Int(label).flatMap { classes.indices.contains($0) ? classes[$0] : nil } ?? label
      return description
    default:
      let text = try text(bytes, ".\(ending)")
      return PairDescription(
        captions: hasCaptionLines ? cleaned(text.split(whereSeparator: \.isNewline).map(String.init)) : cleaned([text]))
    }
  }

  private func text(_ bytes: [UInt8], _ name: String) throws -> String {
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw Failure(.badData, "its \(name) is not UTF-8")
    }
    return cleaned([text]).first ?? ""
  }
}

extension PairSplit {
  /// The split that the first folder of a path names, as data sets name them.
  static func stated(by path: String) -> String? {
    guard let slash = path.utf8.firstIndex(of: UInt8(ascii: "/")) else { return nil }
    return usual(String(path[..<slash]))?.name
  }

  /// The split that a usual name stands for: Karpathy's `restval` is trained on.
  public static func usual(_ name: String) -> PairSplit? {
    switch name.lowercased() {
    case "train", "training", "restval": .train
    case "val", "valid", "validation", "dev": .validation
    case "test", "testing": .test
    default: nil
    }
  }
}
