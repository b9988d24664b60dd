import Artifacts
import Diagnostics
import Files
import JSON
import Pairs
import Reports
import RetrievalEvaluation
import StageDescriptions
import Torch

/// Measures every model on validation and on every test, compares losses, and writes the report.
public enum RetrieveStage {
  public static func run(_ request: StageRequest<Retrieve>) throws -> Artifact {
    try run(request) { Interruption.isRequested }
  }

  /// - Parameter isInterrupted: asked after each model and split.
  static func run(_ request: StageRequest<Retrieve>, isInterrupted: () throws -> Bool) throws -> Artifact {
    // Scores decide ranks, so they are computed in one way on every machine: in float32 on the processor.
    let resolution = try Resolution(device: .cpu, computeType: .float32, threads: request.configuration.threads)
    var text: String?
    let record = JSON.object(JSONObject(resolution.record.map { ($0.name, .string($0.value)) }))
    let artifact = try request.make(record) { builder in
      resolution.apply()
      let report = try evaluate(request, resolution, builder, isInterrupted)
      text = report.text
      return RetrievalSummary(report).json
    }
    // Once everything is published.
    if let text { Log.note("\n" + text + "\n") }
    return artifact
  }

  private static func evaluate(
    _ request: StageRequest<Retrieve>, _ resolution: Resolution, _ builder: ArtifactBuilder,
    _ isInterrupted: () throws -> Bool
  ) throws -> RetrievalReport {
    let models = try Models(request)
    let tempnets = try FittedTempNets(request.inputs.artifacts("tempnet"), models)
    let configuration = request.configuration
    let sets = try models.sets(configuration)
    let progress = Progress("retrieval", unit: "splits", total: models.artifacts.count * sets.count)
    var (runs, done): ([RetrievalRun], Int) = ([], 0)
    for index in models.artifacts.indices {
      let embeddings = try models.embeddings(index)
      var results: [PairSplit: RetrievalRun.Result] = [:]
      var best: [RetrievalDirection: Double] = [:]
      for set in sets {
        if try isInterrupted() { throw Interruption.failure }
        let measurement = Measurement(embeddings, set)
        if set.split == .validation { best = measurement.bestTemperatures(configuration.temperatureBounds) }
        results[set.split] = measurement.result(bestTemperatures: best, tempnets: tempnets.of(run: index))
        done += 1
        progress.update(done)
      }
      runs.append(
        RetrievalRun(
          name: models.names[index], key: models.artifacts[index].key, scale: embeddings.logitScale, results: results))
    }
    progress.finish()
    let report = try Illustration(request, models, tempnets, sets, resolution).report(
      RetrievalStudy(runs: runs, sets: sets))
    try RankFile.write(report.study, to: builder.path(for: RankFile.name))
    try AtomicFile.write(RetrievalFile.json(report).pretty, to: builder.path(for: RetrievalFile.name))
    try AtomicFile.write(report.page, to: builder.path(for: RetrievalReport.name))
    return report
  }
}

extension RetrieveConfiguration {
  var temperatureBounds: ClosedRange<Double> { tauMin...tauMax }

  var comparisonSettings: ComparisonSettings {
    ComparisonSettings(resamples: resamples, seed: UInt64(seed), confidence: confidence, margin: margin)
  }
}
