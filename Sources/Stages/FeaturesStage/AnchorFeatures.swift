import Artifacts
import Diagnostics
import Files
import ImageTextModels
import JSON
import Pairs
import RetrievalEvaluation
import StageDescriptions
import TempNet
import TemperatureSettings
import Torch

/// Features of images or texts: for each its similarities to others, times the scale.
struct AnchorFeatures {
  private let parts: [AnchorPart]
  private let side: EmbeddingSide
  private let scale: Double
  private let grid: TemperatureGrid
  private let checkpointInterval: Int

  /// - Throws: `.badData` for embeddings that cannot be compared, and for a split that is too small.
  init(_ configuration: FeaturesConfiguration, side: EmbeddingSide, _ artifact: Artifact, device: Device) throws {
    let embeddings = try EmbeddingsArtifact(artifact)
    guard let scale = embeddings.scale else {
      throw Failure(
        .badData,
        "holds embeddings of two spaces apart, in which images and texts cannot be compared; make joint ones with "
          + "tempnet-embed --embeddings and --model", at: artifact.path)
    }
    let grid = TemperatureGrid(
      covering: configuration.tauMin...configuration.tauMax, nodesPerOctave: configuration.nodesPerOctave)
    let rows = (image: embeddings.image.to(device), text: embeddings.text.to(device))
    self.side = side
    let choice = AnchorChoice(configuration, side, embeddings.table)
    parts = try FeaturesArtifact.Part.allCases.map { name in
      let (own, other) = side == .image ? (rows.image, rows.text) : (rows.text, rows.image)
      let part = AnchorPart(choice.comparison(name), of: side.kind, name, own, other, scale: scale, grid: grid)
      try part.check(side, choice.split(of: name), artifact.path)
      return part
    }
    (self.scale, self.grid, checkpointInterval) = (scale, grid, configuration.checkpointInterval)
  }

  /// Writes all files.
  ///
  /// - Returns: the summary.
  func write(_ builder: ArtifactBuilder, isInterrupted: () throws -> Bool) throws -> JSON {
    let pass = FeaturePass(parts: parts, unit: side.kind.rawValue, checkpointInterval: checkpointInterval)
    try pass.run(builder, isInterrupted: isInterrupted)
    let error = parts[0].interpolationError()
    let description = FeaturesDescription.anchors(AnchorDescription(side, scale: scale, interpolationError: error))
    try AtomicFile.write(description.json.pretty, to: builder.path(for: FeaturesDescription.file))
    func counts(_ count: (AnchorPart) -> Int) -> JSON {
      .object(JSONObject(parts.map { ($0.part.rawValue, .integer(count($0))) }))
    }
    return [
      "width": .integer(parts[0].width), "scale": .number(scale), "rows": counts(\.rows),
      "candidates": counts(\.candidateCount), "temperatures": .integer(grid.count),
      "interpolation_error": error.json,
    ]
  }
}

/// The anchors of one part.
struct AnchorPart: FeaturePart {
  let part: FeaturesArtifact.Part
  private let kind: FeatureKind
  /// Of the anchors, [N], and of the candidates, [M], among all pictures or captions.
  private let positions, candidatePositions: [Int]
  /// The indices of each anchor's own candidates, ascending.
  private let own: [[Int]]
  /// [N, d] and [M, d]
  private let anchors, candidates: Tensor
  private let scale: Double
  private let grid: TemperatureGrid

  /// The most logits that exist at a time: 64 MiB of them.
  private static let logitsAtOnce = 1 << 24
  private static let sample = 256

  /// - Parameters:
  ///   - anchorRows: of all positions of the anchors' side, [P, d].
  ///   - candidateRows: likewise of the other side.
  init(
    _ comparison: AnchorChoice.Comparison, of kind: FeatureKind, _ part: FeaturesArtifact.Part, _ anchorRows: Tensor,
    _ candidateRows: Tensor, scale: Double, grid: TemperatureGrid
  ) {
    (self.part, self.kind, self.scale, self.grid) = (part, kind, scale, grid)
    (positions, candidatePositions, own) = (comparison.anchors, comparison.candidates, comparison.own)
    let device = anchorRows.device
    self.anchors = anchorRows.selected(0, indices: Tensor(positions).to(device))
    self.candidates = candidateRows.selected(0, indices: Tensor(candidatePositions).to(device))
  }

  /// - Throws: `.badData` for a split that is too small.
  func check(_ side: EmbeddingSide, _ split: PairSplit, _ path: String) throws {
    guard rows > 0 else {
      throw Failure(.badData, "has too few \(side)s in the \(split) split for the \(part) rows", at: path)
    }
    guard let row = own.firstIndex(where: { candidateCount - $0.count < 2 }) else { return }
    throw Failure(
      .badData,
      "the \(split) split has \(candidateCount) candidates, of which \(own[row].count) are the own ones of \(side) "
        + "\(positions[row]); at least two others are needed", at: path)
  }

  var rows: Int { positions.count }
  var width: Int { anchors.size(1) }
  var candidateCount: Int { candidatePositions.count }
  private var rowsAtOnce: Int { max(1, Self.logitsAtOnce / candidateCount) }
  var batchCount: Int { (rows + rowsAtOnce - 1) / rowsAtOnce }
  func rows(before batch: Int) -> Int { min(batch * rowsAtOnce, rows) }

  func table(_ path: String, isContinued: Bool) throws -> FeatureTable {
    try FeatureTable(path, of: kind, rows: rows, width: width, grid: grid, isContinued: isContinued)
  }

  func perform(_ batch: Int, into table: FeatureTable) throws {
    let range = rows(before: batch)..<rows(before: batch + 1)
    let logits = AnchorLogits(
      anchors: anchors[range], candidates: candidates, scale: scale, own: Array(own[range]), grid: grid)
    try table.write(
      anchors: anchors[range], positions: Array(positions[range]),
      labels: logits.ownIndex.map { candidatePositions[$0] }, logits: logits, at: range.lowerBound)
  }

  /// Of evenly spread anchors.
  func interpolationError() -> InterpolationError {
    let count = min(rows, min(Self.sample, rowsAtOnce))
    let chosen = (0..<count).map { $0 * rows / count }
    return AnchorLogits.interpolationError(
      anchors: anchors.selected(0, indices: Tensor(chosen).to(anchors.device)), candidates: candidates, scale: scale,
      own: chosen.map { own[$0] }, grid: grid)
  }
}
