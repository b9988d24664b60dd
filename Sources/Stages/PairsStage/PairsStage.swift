import Artifacts
import Diagnostics
import Files
import JSON
import Pairs
import StageDescriptions
import Torch

/// Decodes pictures and writes a `pairs` artifact. Chunks of samples that an interrupted run has decoded stay.
public enum PairsStage {
  public static func run(_ request: StageRequest<MakePairs>) throws -> Artifact {
    try run(request) { Interruption.isRequested }
  }

  /// - Parameter isInterrupted: asked after each chunk.
  static func run(_ request: StageRequest<MakePairs>, isInterrupted: () throws -> Bool) throws -> Artifact {
    // Each picture is scaled by one thread; how many work side by side makes no difference.
    TorchRuntime.threads = 1
    let resolution: JSON = [
      "libtorch": .string(TorchRuntime.torchVersion), "vector_instructions": .string(TorchRuntime.vectorInstructions),
    ]
    return try request.make(resolution) { try makePairs(request.configuration, $0, isInterrupted) }
  }

  /// - Returns: the summary.
  private static func makePairs(
    _ configuration: PairsConfiguration, _ builder: ArtifactBuilder, _ isInterrupted: () throws -> Bool
  ) throws -> JSON {
    let digests = FileDigests.forProgram
    let sources = try PairSources(configuration.source, configuration.options, digests: digests)
    try digests.save()
    let threads = configuration.threads ?? Machine.cores
    noteMemory(configuration, threads: threads)
    let samples = try DecodedSamples(builder.checkpointsPath, size: configuration.size)
    try decode(sources, configuration, threads: threads, into: samples, isInterrupted)
    try samples.close()
    let review = try SampleReview(samples, configuration.splits)
    do {
      try review.check(limit: configuration.leftOutLimit, at: configuration.source.joined(separator: ", "))
    } catch {
      // Mended sources have other digests, and unfinished work of another identity would be in their way.
      for name in try Files.list(samples.folder) { try Files.remove("\(samples.folder)/\(name)") }
      throw error
    }
    return try PairsAssembly(configuration, review, sources.sources, builder).write(samples)
  }

  /// Says what the work takes at most.
  private static func noteMemory(_ configuration: PairsConfiguration, threads: Int) {
    let usual = MemoryEstimate.program + 2 * PairsConfiguration.chunkBytes
    let most = MakePairs.memory(configuration)?.bytes ?? usual
    Log.note(
      "decoding on \(counted(threads, "thread")); memory: usually \(usual >> 20) MiB, at most \(most >> 20) MiB where all "
        + "pictures have pixel_limit = \(configuration.pixelLimit) pixels")
  }

  private static func decode(
    _ sources: PairSources, _ configuration: PairsConfiguration, threads: Int, into samples: DecodedSamples,
    _ isInterrupted: () throws -> Bool
  ) throws {
    let pass = try PassProgress("\(samples.folder)/pairs.json", of: nil, saving: .time(.seconds(20)))
    try samples.restore(chunks: pass.done)
    let chunks = SampleChunks(sources.reader())
    try chunks.skip(samples.count)
    let decoder = PictureDecoder(size: configuration.size, fit: configuration.fit, pixelLimit: configuration.pixelLimit)
    let progress = Progress("pictures", unit: "pictures", total: nil, alreadyDone: samples.count)
    func work(_ number: Int) throws -> Bool {
      guard let chunk = try chunks.next() else { return false }
      try samples.append(concurrently(chunk, threads: threads) { try decoder.decode($0) }, chunk: number)
      progress.update(samples.count)
      return true
    }
    try pass.advanceToEnd(isInterrupted: isInterrupted, synchronise: samples.synchronise, work)
    progress.finish()
  }
}
