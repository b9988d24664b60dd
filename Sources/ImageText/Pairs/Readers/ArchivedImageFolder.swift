import Diagnostics
import Files

/// An archive in imagefolder's form: pictures, and `metadata.jsonl` or `metadata.csv` that says what they are.
final class ArchivedImageFolder: PairReader {
  private let archive: ArchiveReader
  private let source: String
  private let index: PictureIndex
  private var seen: Set<String> = []
  private var rest: [PairsArtifact.LeftOut]?

  private static let names = ["metadata.jsonl", "metadata.csv", "metadata.tsv"]

  static func isMetadata(_ path: String) -> Bool { names.contains(Files.name(of: path).lowercased()) }

  private init(_ archive: ArchiveReader, source: String, index: PictureIndex) {
    (self.archive, self.source, self.index) = (archive, source, index)
  }

  /// A reader of the archive in this form; nil for one of another form.
  ///
  /// In a tar file the metadata have to come first, so that it is told from webdataset's form without reading it whole.
  ///
  /// - Throws: `Failure(.badData)` for a file that is no archive.
  static func open(_ path: String, source: String, fields: PairFields, unpackedLimit: Int?) throws
    -> ArchivedImageFolder?
  {
    let isSearched = [".zip", ".7z"].contains(where: path.lowercased().hasSuffix)
    let archive = try ArchiveReader(path, unpackedLimit: unpackedLimit)
    while let entry = try archive.next() {
      guard archive.isArchive else { throw Failure(.badData, "is no archive, although its name says so", at: path) }
      if isMetadata(entry.entryName) {
        var index = PictureIndex(fields, source: source)
        try index.add(metadata: entry, name: entry.entryName)
        return ArchivedImageFolder(
          try ArchiveReader(path, unpackedLimit: unpackedLimit), source: source, index: index)
      }
      guard isSearched else { return nil }
    }
    return nil
  }

  func next() throws -> PairItem? {
    if let left = rest {
      rest = Array(left.dropFirst())
      return left.first.map(PairItem.leftOut)
    }
    while let entry = try archive.next() {
      let name = entry.entryName
      guard PairForm.isPicture(name) else { continue }
      guard let known = index[name] else { return leftOut(name, "no line of the metadata names it") }
      guard seen.insert(name).inserted else { return leftOut(name, "occurs twice in the archive") }
      guard let bytes = try entry.whole(limit: PairLimits.picture) else { return leftOut(name, "is too large") }
      return .sample(
        PairSample(source: source, member: name, content: .bytes(bytes), description: known.description))
    }
    rest =
      index.leftOut
      + index.entries.filter { !seen.contains($0.file) }.map {
        PairsArtifact.LeftOut(source: source, member: $0.place, reason: "'\($0.file)' is not in the archive")
      }
    return try next()
  }

  private func leftOut(_ member: String, _ reason: String) -> PairItem {
    .leftOut(PairsArtifact.LeftOut(source: source, member: member, reason: reason))
  }
}
