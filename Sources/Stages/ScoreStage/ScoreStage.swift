import Artifacts
import Diagnostics
import Files
import JSON
import LanguageEvaluation
import StageDescriptions
import TempNet
import TemperatureSettings
import Tokenization
import Torch
import Training
import Weights

/// Runs a frozen model once over the validation and test splits and over tasks, and writes a `records` artifact. An
/// interrupted run goes on at the pass where it stopped.
public enum ScoreStage {
  public static func run(_ request: StageRequest<Score>) throws -> Artifact {
    try run(request) { Interruption.isRequested }
  }

  /// - Parameter isInterrupted: asked after each pass of the model.
  static func run(_ request: StageRequest<Score>, isInterrupted: @escaping () throws -> Bool) throws -> Artifact {
    let resolution = try Resolution(request.configuration.compute)
    return try request.make(resolution.json) { try score(request, resolution, $0, isInterrupted) }
  }

  /// - Returns: the summary.
  private static func score(
    _ request: StageRequest<Score>, _ resolution: Resolution, _ builder: ArtifactBuilder,
    _ isInterrupted: @escaping () throws -> Bool
  ) throws -> JSON {
    resolution.apply()
    let configuration = request.configuration
    let scoring = try ModelScoring(
      request.inputs.model("model"), TokensArtifact(request.inputs.artifact("tokens")), resolution)
    let tasks = try scoring.tasks(configuration.tasks, batchTokens: configuration.text.batchTokens)
    let hasHidden =
      switch configuration.hidden {
      case .auto: try scoring.ownTempNet != nil
      case .kept: true
      case .dropped: false
      }
    let (bounds, nodes) = (configuration.tauMin...configuration.tauMax, configuration.nodesPerOctave)
    let grid = RecordGrid.grid(for: bounds, nodesPerOctave: nodes)
    let recorder = scoring.recorder(grid)
    let validation = try scoring.text(
      .validation, configuration.text, sample: configuration.text.validationTokens, recorder)
    let test = try scoring.text(.test, configuration.text, recorder)
    let work = RecordWork(
      builder: builder, grid: grid, width: hasHidden ? scoring.model.configuration.width : nil,
      saveInterval: .seconds(configuration.checkpointSeconds), isInterrupted: isInterrupted)
    try work.write(validation, as: Split.validation.rawValue)
    try work.write(test, as: Split.test.rawValue)
    for (task, passes) in tasks { try work.write(task, passes(recorder)) }

    if hasHidden { try Head.write(weight: scoring.head, to: builder.path(for: FeaturesArtifact.headFile)) }
    try copy(scoring.ownTempNet, as: TempNetFile.name, builder)
    try copy(scoring.history, as: TrainingFiles.metricsName, builder)
    let description = try scoring.description(
      test.windows, bounds: bounds, nodesPerOctave: nodes, hasHidden: hasHidden)
    try AtomicFile.write(
      description.json(tasks: tasks.map(\.task.json)).pretty, to: builder.path(for: RecordsDescription.file))
    return [
      "vocabulary": .integer(scoring.vocabulary), "width": .integer(description.width), "hidden": .bool(hasHidden),
      "temperatures": .integer(grid.count), "validation_rows": .integer(validation.rows),
      "test_rows": .integer(test.rows),
      "tasks": .object(JSONObject(tasks.map { ($0.task.description.name, .integer($0.task.items.count)) })),
    ]
  }

  private static func copy(_ path: String?, as name: String, _ builder: ArtifactBuilder) throws {
    guard let path else { return }
    try AtomicFile.write(Files.read(path), to: builder.path(for: name))
  }
}

/// Writes tables of records, pass by pass, and goes on where an earlier run stopped.
private struct RecordWork {
  let builder: ArtifactBuilder
  let grid: TemperatureGrid
  /// Of hidden states; nil where they are dropped.
  let width: Int?
  let saveInterval: Duration
  let isInterrupted: () throws -> Bool

  /// A split, or a sample of it.
  func write(_ text: TextPasses, as name: String) throws {
    try write(text, as: name, file: "\(name).safetensors", integers: ["position", RecordFile.documentColumn]) { pass in
      [("position", text.positions(ofPass: pass)), (RecordFile.documentColumn, text.documents(ofPass: pass))]
    }
  }

  func write(_ task: ScoredTask, _ passes: TaskPasses) throws {
    let name = task.description.name
    try task.writeRequests(to: builder.path(for: ScoredTask.requestsName(name)))
    var owners: [(item: Int, request: Int)] = []
    for (item, ranges) in task.ranges.enumerated() {
      for (request, range) in ranges.enumerated() { owners += range.map { _ in (item, request) } }
    }
    try write(
      passes, as: name, file: ScoredTask.recordsName(name), integers: ["sequence", "item", "request"]
    ) { pass in
      let sequences = passes.sequences(ofPass: pass)
      return [
        ("sequence", sequences), ("item", sequences.map { owners[$0].item }),
        ("request", sequences.map { owners[$0].request }),
      ]
    }
  }

  private func write(
    _ passes: some RecordPasses, as name: String, file: String, integers: [String],
    _ columns: (Int) -> [(name: String, values: [Int])]
  ) throws {
    let table = RecordTable(
      try builder.path(for: file), offsets: passes.offsets, width: width, grid: grid, integers: integers)
    let done = try PassProgress(
      "\(builder.checkpointsPath)/\(file).json", of: passes.passCount, saving: .time(saveInterval))
    let writer = try done.done == 0 ? table.create() : table.open()
    let progress = Progress(name, unit: "tokens", total: passes.rows, alreadyDone: passes.offsets[done.done])
    try done.advance(isInterrupted: isInterrupted, synchronise: writer.synchronise) { pass in
      try table.write(passes.records(ofPass: pass), integers: columns(pass), pass: pass, writer)
      progress.update(passes.offsets[pass + 1])
    }
    progress.finish()
    try writer.finish()
  }
}
