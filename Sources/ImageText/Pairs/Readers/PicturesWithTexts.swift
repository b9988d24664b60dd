import Diagnostics
import Files
import JSON

/// A folder of pictures, each with a file beside it that has its name and ends in `.txt`, `.caption` or `.json`.
final class PicturesWithTexts: PairReader {
  private let source: String
  private let folder: String
  private let reading: SampleTexts
  private let pictures: [String]
  private let texts: Set<String>
  private var position = 0

  /// - Parameter names: the visible files below the folder, sorted.
  init(_ folder: String, names: [String], source: String, reading: SampleTexts) {
    (self.folder, self.source, self.reading) = (folder, source, reading)
    pictures = names.filter(PairForm.isPicture)
    texts = Set(names)
  }

  func next() throws -> PairItem? {
    guard position < pictures.count else { return nil }
    let member = pictures[position]
    position += 1
    let stem = String(member[..<member.lastIndex(of: ".")!])
    var description = PairDescription()
    do {
      for ending in ["txt", "caption", "json"] where texts.contains("\(stem).\(ending)") {
        let bytes = try Files.read("\(folder)/\(stem).\(ending)", limit: PairLimits.text)
        description.add(try reading.description(bytes, ending: ending == "caption" ? "txt" : ending))
      }
    } catch let failure as Failure where failure.status == .badData {
      return .leftOut(PairsArtifact.LeftOut(source: source, member: member, reason: failure.message))
    }
    if description.split == nil { description.split = PairSplit.stated(by: member) }
    return .sample(
      PairSample(source: source, member: member, content: .file("\(folder)/\(member)"), description: description))
  }
}
