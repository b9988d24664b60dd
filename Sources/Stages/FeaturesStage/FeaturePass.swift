import Artifacts
import Diagnostics
import TempNet
import Training

/// The work on one part of a `features` artifact, batch by batch. A batch's rows depend on the batch alone.
protocol FeaturePart {
  var part: FeaturesArtifact.Part { get }
  /// How many rows all batches give together.
  var rows: Int { get }
  var batchCount: Int { get }
  func rows(before batch: Int) -> Int
  /// - Parameter isContinued: whether an interrupted run has begun the file.
  func table(_ path: String, isContinued: Bool) throws -> FeatureTable
  /// Computes a batch and writes its rows.
  func perform(_ batch: Int, into table: FeatureTable) throws
}

/// One pass over all parts, which writes their tables. Rows that an interrupted run has written stay.
struct FeaturePass {
  let parts: [any FeaturePart]
  /// The kind of rows.
  let unit: String
  /// Batches from one checkpoint to the next.
  let checkpointInterval: Int

  /// - Parameter isInterrupted: asked after each batch.
  func run(_ builder: ArtifactBuilder, isInterrupted: () throws -> Bool) throws {
    let pass = try PassProgress(
      "\(builder.checkpointsPath)/features.json", of: parts.reduce(0) { $0 + $1.batchCount },
      saving: .pieces(checkpointInterval))
    let progress = Progress(
      "features", unit: unit, total: parts.reduce(0) { $0 + $1.rows }, alreadyDone: rows(before: pass.done))
    var first = 0
    for work in parts {
      let table = try work.table(try builder.path(for: work.part.file), isContinued: pass.done > first)
      let end = first + work.batchCount
      try pass.advance(to: end, isInterrupted: isInterrupted, synchronise: table.synchronise) { batch in
        try work.perform(batch - first, into: table)
        progress.update(rows(before: batch + 1))
      }
      try table.finish()
      first = end
    }
    progress.finish()
  }

  /// How many rows the first batches give, counted over all parts.
  private func rows(before batch: Int) -> Int {
    var left = batch
    return parts.reduce(0) { sum, work in
      let taken = min(left, work.batchCount)
      left -= taken
      return sum + work.rows(before: taken)
    }
  }
}
