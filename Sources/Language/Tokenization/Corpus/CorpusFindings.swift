import Diagnostics
import Files
import JSON

/// Irregularities that a reading of a corpus replaced, skipped or suspected: for one warning each, and for the summary.
public final class CorpusFindings {
  /// A text with invalid UTF-8.
  struct Invalid {
    let name: String
    let size: Int
    let bytes: Int
    let replacements: Int
    let guess: EncodingGuess?
  }

  /// The number of the worst texts that are kept by name.
  private static let kept = 10

  private var worst: [Invalid] = []
  private var texts = 0
  private var bytes = 0
  private var replacements = 0
  private var marks = Sightings()
  private var links = Sightings()
  private var likeJSON = Sightings()
  private var surrogates = Sightings()

  /// The number of occurrences, and the place of the first.
  private struct Sightings {
    var count = 0
    var first = ""

    mutating func add(_ place: String, count more: Int = 1) {
      if count == 0 && more > 0 { first = place }
      count += more
    }
  }

  public init() {}

  func noteInvalid(_ text: Invalid) {
    texts += 1
    bytes += text.bytes
    replacements += text.replacements
    // Texts with equally many invalid bytes stay in the order of the corpus.
    let place = worst.firstIndex { $0.bytes < text.bytes } ?? worst.endIndex
    worst.insert(text, at: place)
    if worst.count > Self.kept { worst.removeLast() }
  }

  func noteMark(_ name: String) { marks.add(name) }
  func noteLinks(_ count: Int, first: String) { links.add(first, count: count) }
  func noteLikeJSON(_ name: String) { likeJSON.add(name) }
  func noteSurrogates(_ count: Int, at place: String) { surrogates.add(place, count: count) }

  /// Prints a warning for each kind of finding.
  public func warn() {
    if let first = worst.first {
      let others = texts == 1 ? "" : ", \(counted(bytes, "byte")) in \(texts) texts altogether"
      let advice = first.guess.map { "; \($0.advice)" } ?? ""
      Log.warning(
        "\(first.name): \(first.bytes) of its \(first.size) bytes are not UTF-8\(others); "
          + "\(replacements) U+FFFD \(replacements == 1 ? "replaces" : "replace") them\(advice)")
    }
    if marks.count > 0 {
      Log.warning(
        "\(marks.first)\(others(marks)): begins with a byte order mark, which stays in the text as U+FEFF; "
          + #"sed -i '1s/^\xEF\xBB\xBF//' FILE removes it"#)
    }
    if links.count > 0 {
      Log.warning(
        "\(links.first)\(others(links)): a link in an archive is skipped; its target is read in its own place")
    }
    if surrogates.count > 0 {
      Log.warning(
        "\(surrogates.first)\(others(surrogates)): half a surrogate pair is not a character; U+FFFD replaces it")
    }
    if likeJSON.count > 0 {
      Log.warning(
        "\(likeJSON.first)\(others(likeJSON)): is read as text, as its name says, but looks like JSON lines; "
          + "--set format=json reads the records, format=text reads the file as text without this warning")
    }
  }

  private func others(_ sightings: Sightings) -> String {
    sightings.count == 1 ? "" : " and \(sightings.count - 1) more"
  }

  /// Members of the artifact's summary; one for each kind that was found.
  public var summary: [(String, JSON)] {
    var members: [(String, JSON)] = []
    if texts > 0 {
      members.append(
        (
          "notUTF8",
          [
            "texts": .integer(texts), "bytes": .integer(bytes), "replacements": .integer(replacements),
            "worst": .array(
              worst.map {
                [
                  "name": .string($0.name), "size": .integer($0.size), "bytes": .integer($0.bytes),
                  "replacements": .integer($0.replacements),
                ]
              }),
          ]
        ))
    }
    if marks.count > 0 { members.append(("byteOrderMarks", .integer(marks.count))) }
    if surrogates.count > 0 { members.append(("loneSurrogates", .integer(surrogates.count))) }
    if links.count > 0 { members.append(("linksPassedOver", .integer(links.count))) }
    return members
  }
}
