import Artifacts
import Diagnostics
import ImageTextModels
import JSON
import StageDescriptions
import Torch
import Training

/// Computes a row of numbers for each picture and caption and writes an `embeddings` artifact. Rows that an interrupted
/// run has written stay.
public enum EmbedStage {
  public static func run(_ request: StageRequest<Embed>) throws -> Artifact {
    try run(request) { Interruption.isRequested }
  }

  /// - Parameter isInterrupted: asked after each batch.
  static func run(_ request: StageRequest<Embed>, isInterrupted: () throws -> Bool) throws -> Artifact {
    let resolution = try Resolution(request.configuration.compute)
    return try request.make(resolution.json) { builder in
      resolution.apply()
      return try withoutGradients {
        let plan = try EmbeddingPlan(request, resolution)
        try embed(plan, builder, isInterrupted)
        return plan.summary
      }
    }
  }

  private static func embed(
    _ plan: EmbeddingPlan, _ builder: ArtifactBuilder, _ isInterrupted: () throws -> Bool
  ) throws {
    let total = plan.parts.reduce(0) { $0 + $1.pieces }
    let pass = try PassProgress(
      "\(builder.checkpointsPath)/embed.json", of: total, saving: .time(.seconds(10)))
    let writer = try EmbeddingsWriter(
      builder, plan.table, plan.description, copies: plan.copies, isContinued: pass.done > 0)
    var first = 0
    for part in plan.parts {
      let progress = Progress(
        part.tensor.rawValue, unit: part.unit, total: part.rows.count,
        alreadyDone: part.items(before: max(0, pass.done - first)))
      try pass.advance(to: first + part.pieces, isInterrupted: isInterrupted, synchronise: writer.synchronise) {
        piece in
        let items = part.items(of: piece - first)
        try write(part, items, to: writer)
        progress.update(items.upperBound)
      }
      progress.finish()
      first += part.pieces
    }
    try writer.finish()
  }

  /// - Throws: `.badData` where a network gives anything but finite numbers.
  private static func write(_ part: EmbeddingPart, _ items: Range<Int>, to writer: EmbeddingsWriter) throws {
    let embeddings = try part.embed(items)
    guard embeddings.allFinite().item == 1 else {
      throw Failure(
        .badData, "the embeddings of \(part.unit) are not all finite, from row \(part.rows[items.lowerBound][0]) on")
    }
    for (index, item) in items.enumerated() {
      for row in part.rows[item] { try writer.write(embeddings[index..<index + 1], of: part.tensor, at: row) }
    }
  }
}

extension EmbeddingPlan {
  fileprivate init(_ request: StageRequest<Embed>, _ resolution: Resolution) throws {
    if !request.configuration.npy.isEmpty {
      self = try .ready(request.configuration)
    } else if let model = request.inputs.optionalArtifact("model") {
      self = try .joint(request, model, resolution)
    } else {
      self = try .frozen(request, resolution)
    }
  }
}
