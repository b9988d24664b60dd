import Diagnostics
import EncoderDescriptions
import Files
import ImageTextModels
import Pairs
import RandomNumbers
import StageDescriptions
import Torch

extension EmbeddingPlan {
  /// Embeddings made elsewhere: as they are, or, with a scale, of unit length in one space.
  ///
  /// - Throws: `.badData` for files of another form, and for a picture without a caption.
  static func ready(_ configuration: EmbedConfiguration) throws -> EmbeddingPlan {
    let (images, texts) = (try NumpyRows(configuration.npy[0]), try NumpyRows(configuration.npy[1]))
    for rows in [images, texts] where rows.width > TowerRecord.greatestWidth {
      throw Failure(
        .badData, "has rows of \(rows.width) numbers, more than the \(TowerRecord.greatestWidth) of an embedding",
        at: rows.path)
    }
    let space: EmbeddingSpace = configuration.scale.map { .joint(LogitScale($0, from: .given)) } ?? .apart
    guard space == .apart || images.width == texts.width else {
      throw Failure(
        .badData, "has rows of \(texts.width) numbers and \(images.path) of \(images.width); one space needs one width",
        at: texts.path)
    }
    let (table, captions) = try PairTable.numbered(images, texts, configuration)
    return EmbeddingPlan(
      table: table,
      description: EmbeddingsDescription(
        space, image: TowerRecord("elsewhere", width: images.width), text: TowerRecord("elsewhere", width: texts.width)),
      parts: [
        part(.image, table.picturesByGroup, images, space, configuration.batch, unit: "pictures") { $0 },
        part(.text, table.captionsByGroup, texts, space, configuration.batch, unit: "captions") { captions[$0] },
      ])
  }

  /// - Parameter place: the row in the file for a row of the artifact.
  private static func part(
    _ tensor: EmbeddingsWriter.Part, _ rows: [[Int]], _ source: NumpyRows, _ space: EmbeddingSpace, _ batch: Int,
    unit: String, place: @escaping (Int) -> Int
  ) -> EmbeddingPart {
    EmbeddingPart(tensor: tensor, rows: rows, batch: batch, unit: unit) { items in
      let places = rows[items].map { place($0[0]) }
      let numbers = source(places)
      guard space != .apart else { return numbers }
      let lengths = numbers.norm(1).doubles
      if let empty = lengths.firstIndex(of: 0) {
        throw Failure(.badData, "row \(places[empty]) has length 0, so it has no direction", at: source.path)
      }
      return numbers.unitRows()
    }
  }
}

extension PairTable {
  /// A table of numbered pictures and captions.
  ///
  /// - Returns: the table, and for each of its captions the row in the file of texts: captions of one picture follow one
  ///   another in the table.
  fileprivate static func numbered(
    _ images: NumpyRows, _ texts: NumpyRows, _ configuration: EmbedConfiguration
  ) throws -> (PairTable, captions: [Int]) {
    let owners = try owners(images, texts, configuration)
    let order = owners.indices.sorted { (owners[$0], $0) < (owners[$1], $1) }
    let (pictureGroups, captionGroups) = (
      groups((0..<images.count).map(images.bytes)), groups(order.map(texts.bytes))
    )
    var table = PairTable()
    for (position, row) in order.enumerated() {
      table.captions.append(Caption("caption \(row)", picture: owners[row], group: captionGroups[position]))
    }
    var first = 0
    for position in 0..<images.count {
      var end = first
      while end < order.count, owners[order[end]] == position { end += 1 }
      guard end > first else { throw Failure(.badData, "picture \(position) has no caption", at: texts.path) }
      table.pictures.append(
        Picture(
          source: "elsewhere", member: "row \(position)",
          split: split(of: pictureGroups[position], configuration), group: pictureGroups[position],
          captions: first..<end))
      first = end
    }
    return (table, order)
  }

  private static func owners(
    _ images: NumpyRows, _ texts: NumpyRows, _ configuration: EmbedConfiguration
  ) throws -> [Int] {
    if configuration.npy.count == 3 {
      return try NumpyMap.read(configuration.npy[2], captions: texts.count, pictures: images.count)
    }
    guard texts.count == images.count else {
      throw Failure(
        .badData,
        "has \(texts.count) rows and \(images.path) has \(images.count); name a third file with each caption's picture",
        at: texts.path)
    }
    return Array(0..<texts.count)
  }

  /// For each row the first that is equal to it.
  private static func groups(_ rows: [UnsafeRawBufferPointer]) -> [Int] {
    var first: [String: Int] = [:]
    return rows.enumerated().map { position, bytes in
      let digest = SHA256.hex(of: bytes)
      return first[digest]
        ?? {
          first[digest] = position
          return position
        }()
    }
  }

  /// Equal pictures are in one split.
  private static func split(of group: Int, _ configuration: EmbedConfiguration) -> PairSplit {
    let place = Double(SplitMix64.mixed(UInt64(group)) >> 11) * 0x1p-53
    if place < configuration.validation { return .validation }
    return place < configuration.validation + configuration.test ? .test : .train
  }
}
