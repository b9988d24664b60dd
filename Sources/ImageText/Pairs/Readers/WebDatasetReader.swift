import Diagnostics
import Files

/// An archive in webdataset's form: the members of a sample have one key and lie side by side.
///
/// The key is the path up to the first point of the base name, the ending everything behind that point, in lower case
/// (webdataset `tariterators.py: base_plus_ext`). Members without a point, and `__x__`, are no part of a sample.
final class WebDatasetReader: PairReader {
  private struct Member {
    let key: String
    let ending: String
    let entry: ArchiveEntry
  }

  /// The members of a sample so far.
  private struct Sample {
    let key: String
    var endings: [String] = []
    /// By ending, those that are used.
    var contents: [String: [UInt8]] = [:]
    var problem: String?
  }

  private let archive: ArchiveReader
  private let source: String
  private let reading: SampleTexts
  private var pending: Member?
  private var hasBegun = false
  /// The keys so far: members of a sample that are not side by side would make several halves.
  private var keys: Set<String> = []

  init(_ archive: ArchiveReader, source: String, reading: SampleTexts) {
    (self.archive, self.source, self.reading) = (archive, source, reading)
  }

  func next() throws -> PairItem? {
    if !hasBegun {
      pending = try member()
      hasBegun = true
    }
    guard let first = pending else { return nil }
    var sample = Sample(key: first.key)
    while let member = pending, member.key == sample.key {
      try add(member, to: &sample)
      pending = try self.member()
    }
    return item(sample)
  }

  private func member() throws -> Member? {
    while let entry = try archive.next() {
      let name = entry.entryName
      if name.split(separator: "/").first?.wholeMatch(of: /__.*__/) != nil { continue }
      let base = name.utf8.lastIndex(of: UInt8(ascii: "/")).map { name.utf8.index(after: $0) } ?? name.startIndex
      guard let point = name.utf8[base...].firstIndex(of: UInt8(ascii: ".")) else { continue }
      return Member(
        key: String(name[..<point]), ending: name[name.utf8.index(after: point)...].lowercased(), entry: entry)
    }
    return nil
  }

  private func add(_ member: Member, to sample: inout Sample) throws {
    if sample.endings.contains(member.ending) {
      sample.problem = "its member .\(member.ending) occurs twice"
      return
    }
    sample.endings.append(member.ending)
    let isPicture = PairForm.pictureEndings.contains(member.ending)
    guard isPicture || SampleTexts.endings.contains(member.ending) else { return }
    guard let bytes = try member.entry.whole(limit: isPicture ? PairLimits.picture : PairLimits.text) else {
      sample.problem = "its member .\(member.ending) is too large"
      return
    }
    sample.contents[member.ending] = bytes
  }

  private func item(_ sample: Sample) -> PairItem {
    func leftOut(_ reason: String) -> PairItem {
      .leftOut(PairsArtifact.LeftOut(source: source, member: sample.key, reason: reason))
    }
    guard keys.insert(sample.key).inserted else {
      return leftOut("its key occurred before: keys must be unique, and a sample's members lie side by side")
    }
    if let problem = sample.problem { return leftOut(problem) }
    guard let ending = PairForm.pictureEndings.first(where: { sample.contents[$0] != nil }) else {
      return leftOut("has no picture, only \(sample.endings.map { ".\($0)" }.joined(separator: ", "))")
    }
    var description = PairDescription()
    do {
      for ending in SampleTexts.endings {
        if let bytes = sample.contents[ending] { description.add(try reading.description(bytes, ending: ending)) }
      }
    } catch {
      return leftOut((error as? Failure)?.message ?? "\(error)")
    }
    // Sets for classification have no captions.
    if description.captions.isEmpty, let label = description.label, reading.classes.contains(label) {
      description.captions = [label]
    }
    return .sample(
      PairSample(
        source: source, member: "\(sample.key).\(ending)", content: .bytes(sample.contents[ending]!),
        description: description))
  }
}
