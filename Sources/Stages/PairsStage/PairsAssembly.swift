import Artifacts
import Diagnostics
import Files
import JSON
import Pairs
import StageDescriptions
import WireFormats

/// Makes the artifact's files of decoded samples: deals pictures to splits, finds groups, leaves out what has no place.
final class PairsAssembly {
  private let configuration: PairsConfiguration
  private let review: SampleReview
  private var sources: [PairSource]
  private var outside = 0
  private var counts = SplitCounts()
  private let table: PairTableWriter
  private let leftOut: FileWriter
  private let pixels: FileWriter
  private let sourcesPath: String

  init(
    _ configuration: PairsConfiguration, _ review: SampleReview, _ sources: [PairSource], _ builder: ArtifactBuilder
  ) throws {
    (self.configuration, self.review, self.sources) = (configuration, review, sources)
    table = try PairTableWriter(builder)
    leftOut = try FileWriter(builder.path(for: PairsArtifact.leftOutFile))
    pixels = try FileWriter(builder.path(for: PairsArtifact.pixelsFile))
    sourcesPath = try builder.path(for: PairsArtifact.sourcesFile)
    try pixels.write(header)
  }

  /// - Returns: the summary.
  /// - Throws: `Failure(.badData)` where no picture is left to train on.
  func write(_ samples: DecodedSamples) throws -> JSON {
    let rows = try samples.pixels()
    var records = try samples.records()
    while let record = try records.next() {
      switch record {
      case .leftOut(let sample): try leftOut.write(sample.json.compact + "\n")
      case .picture(let picture): try add(picture, pixels: rows.next())
      }
    }
    try header.withUnsafeBytes { try pixels.overwrite(at: 0, $0) }
    try pixels.close()
    try leftOut.close()
    try table.close()
    try PairsArtifact.write(sources, to: sourcesPath)
    return try summary()
  }

  private var header: [UInt8] {
    NumpyArray.byteHeader(shape: [table.pictures, configuration.size, configuration.size, 3])
  }

  private func add(_ picture: SampleRecord.Picture, pixels row: [UInt8]) throws {
    switch place(of: picture) {
    case .outside(let reason):
      outside += 1
      let sample = PairsArtifact.LeftOut(source: picture.source, member: picture.member, reason: reason)
      try leftOut.write(sample.json.compact + "\n")
    case .split(let split):
      let description = picture.description
      let isFree = description.isFree ?? description.licence.map(configuration.freeLicences.contains) ?? false
      let entry = PairTable.Picture(
        source: picture.source, member: picture.member, concept: description.concept, style: description.style,
        licence: description.licence, isFree: isFree, split: split, group: 0, captions: 0..<0)
      try table.add(entry, pixels: picture.pixels, label: description.label, captions: description.captions)
      try pixels.write(row)
      counts.note(picture, in: split)
      if let index = sources.firstIndex(where: { $0.name == picture.source }) { sources[index].pictures += 1 }
    }
  }

  private func place(of picture: SampleRecord.Picture) -> SplitRule.Place {
    if configuration.keepsStatedSplits, let stated = picture.description.split {
      if let split = PairSplit.usual(stated) { return .split(split) }
      return stated.isPlainName
        ? .split(PairSplit(stated)) : .outside("its split '\(stated)' is no plain name; \(String.plainNameRule)")
    }
    return configuration.splits.place(
      concept: picture.concept, style: picture.description.style, isTrained: review.trained.contains)
  }

  private func summary() throws -> JSON {
    guard !counts.isEmpty(.train) else {
      throw Failure(.badData, "no picture is left to train on", at: configuration.source.joined(separator: ", "))
    }
    let missing = configuration.splits.splits.filter(counts.isEmpty).map(\.name)
    if !missing.isEmpty {
      Log.note("no picture is in: \(missing.joined(separator: ", ")); the sources hold nothing for it")
    }
    counts.warn()
    return [
      "pictures": .integer(table.pictures), "captions": .integer(table.captions), "size": .integer(configuration.size),
      "classes": .integer(table.classes.count), "splits": counts.json,
      "splitsWithoutPictures": .array(missing.map(JSON.string)), "equalPictures": .integer(table.equalPictures),
      "equalCaptions": .integer(table.equalCaptions), "equalPicturesAcrossSplits": .integer(counts.straddling),
      "leftOut": .integer(review.leftOut), "outsideSplits": .integer(outside),
    ]
  }
}
