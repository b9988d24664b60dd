import ArgumentParser
import Artifacts
import Diagnostics
import Files
import Pipelines

struct StatusCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status",
    abstract: "Show each stage, whether it would run, where its result is, and where unfinished work lies.")

  @OptionGroup var options: PipelineOptions

  func run() throws {
    for stage in try options.workspace().plan().stages {
      print("\(stage.name): \(stage.decision.words)\n  \(stage.output)")
      if let path = stage.unfinishedWork { print("  unfinished work: \(path)") }
    }
  }
}

struct NeedsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "needs",
    abstract: "Print the data descriptors of the pipeline whose data are missing, for scripts/fetch-data.")

  @OptionGroup var options: PipelineOptions

  func run() throws {
    for path in try DataNeeds(options.workspace().pipeline).missing { print(path) }
  }
}

struct WhyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "why", abstract: "Tell why a stage would run, and what identifies its result.")

  @OptionGroup var options: PipelineOptions

  @Argument(help: "The name of a stage in the pipeline.")
  var stage: String

  func run() throws {
    let workspace = try options.workspace()
    let names = workspace.pipeline.names(of: stage)
    let plan = try workspace.plan()
    guard !names.isEmpty else {
      let hint = nearest(to: stage, in: workspace.pipeline.stages.map(\.name)).map { "; did you mean '\($0)'?" } ?? ""
      throw Failure(.badConfiguration, "the pipeline has no stage '\(stage)'\(hint)", at: options.file)
    }
    for (index, name) in names.enumerated() {
      if index > 0 { print() }
      if let planned = plan[name] { tell(planned, workspace) }
    }
  }

  private func tell(_ planned: PlannedStage, _ workspace: Workspace) {
    print("\(planned.name): \(planned.decision.words)")
    for change in workspace.changes(of: planned).dropFirst() { print("  also: \(change)") }
    print("\nartifact  \(planned.output)\nkey       \(planned.key), the SHA-256 of")
    print(planned.identity.dependencies.pretty, terminator: "")
  }
}

struct GraphCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "graph", abstract: "Print which stage reads from which.")

  @OptionGroup var options: PipelineOptions

  @Option(help: "The form: text, or dot for Graphviz, with stages that have to run dashed.")
  var format = GraphFormat.text.rawValue

  func run() throws {
    let format = try GraphSettings(format: format).format
    let plan = try options.workspace().plan()
    print(format == .text ? plan.text : plan.dot)
  }
}

struct VerifyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Read every result of the pipeline again and compare it with its digests.",
    discussion: "Damaged results are named and noted in their folders; the next run makes them anew.")

  @OptionGroup var options: PipelineOptions

  func run() throws {
    var damaged: [String] = []
    for stage in try options.workspace().plan().stages {
      guard Files.exists(stage.output) else {
        print("\(stage.name): no result yet")
        continue
      }
      do {
        let artifact = try Artifact.verify(stage.output, kind: stage.identity.kind)
        let count = artifact.manifest.files.count
        print("\(stage.name): \(count == 1 ? "its file is as it was" : "\(count) files are as they were") written")
      } catch let failure as Failure {
        print("\(stage.name): \(failure)")
        damaged.append(stage.name)
      }
    }
    guard damaged.isEmpty else {
      throw Failure(.badData, "damaged: \(damaged.joined(separator: ", ")); the next run makes them anew")
    }
  }
}

struct CollectCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "gc", abstract: "List artifacts that no pipeline of the store needs, or remove them.")

  @OptionGroup var options: StoreOptions

  @Flag(help: "Remove the artifacts that are listed.")
  var delete = false

  func run() throws {
    let store = Store(options.store)
    try store.checkExistence()
    let collector = Collector(store)
    // A run that begins between listing and removal could need an artifact that is listed.
    let lock = delete ? try collector.lock() : nil
    defer { withExtendedLifetime(lock) {} }
    let findings = try collector.findings()
    let garbage = findings.garbage
    for item in garbage { print("\(abbreviated(Double(item.size)))B\t\(item.path)") }
    for note in findings.notes { Log.note(note) }
    guard !garbage.isEmpty else { return Log.note("every artifact of the store is needed") }
    let size = "\(abbreviated(Double(garbage.reduce(0) { $0 + $1.size })))B"
    let total = "\(garbage.count == 1 ? "one artifact" : "\(garbage.count) artifacts") that no pipeline needs, \(size)"
    guard delete else { return Log.note("\(total); --delete removes \(garbage.count == 1 ? "it" : "them")") }
    Log.note("removing \(total)")
    for item in try collector.remove(garbage) { Log.note("\(item.path) stays: a run needs it by now") }
  }
}

extension Collector.Findings {
  /// The results that stay although they may not be needed, and how to release them.
  fileprivate var notes: [String] {
    let ofUnknownUse = abandoned.map { pipeline in
      let (owner, doubt) =
        pipeline.file.map { ($0, "although that file is gone; unless it was moved") }
        ?? ("'\(pipeline.label)'", "because it came through a pipe; unless it is in use")
      return "the latest results of \(owner) stay, \(doubt), \(Self.removal(of: pipeline.records)) releases them"
    }
    guard !kept.isEmpty else { return ofUnknownUse }
    let size = abbreviated(Double(kept.reduce(0) { $0 + $1.size }))
    let ofEarlierVersions = """
      \(size)B stay because an earlier version noted them, which did not tell pipelines of one name apart; where no \
      other pipeline uses this store, \(Self.removal(of: keepers)) lets go of them
      """
    return ofUnknownUse + [ofEarlierVersions]
  }

  private static func removal(of paths: [String]) -> String {
    "rm -r " + paths.map { "'\($0.replacing("'", with: "'\\''"))'" }.joined(separator: " ")
  }
}

extension Decision {
  var words: String {
    switch self {
    case .upToDate: "up to date"
    case .leftOut: "left out"
    case .run(let reason): "runs (\(reason))"
    }
  }
}

extension Plan {
  /// A line for each stage: its name, the decision and the reason, and about how much memory it takes where that is known.
  var table: String {
    columns { stage in
      [stage.name, stage.decision.words] + (stage.estimate.map { [$0.words(available: Machine.memory)] } ?? [])
    }
  }

  /// A line for each stage: its name, its kind, and the stages that it reads from.
  var text: String {
    columns { stage in
      let sources = stages.map(\.name).filter(stage.dependencies.contains)
      return [stage.name, stage.identity.stage] + (sources.isEmpty ? [] : ["<- \(sources.joined(separator: ", "))"])
    }
  }

  var dot: String {
    let nodes = stages.map { stage in
      let style = stage.decision.isRun ? ", style=dashed" : ""
      return "  \"\(stage.name)\" [label=\"\(stage.name)\\n\(stage.identity.stage)\"\(style)]"
    }
    let edges = stages.flatMap { stage in stage.dependencies.sorted().map { "  \"\($0)\" -> \"\(stage.name)\"" } }
    return (["digraph \"\(pipeline)\" {", "  rankdir=LR; node [shape=box]"] + nodes + edges + ["}"])
      .joined(separator: "\n")
  }

  /// A line for each row of cells, in aligned columns.
  private func columns(_ cells: (PlannedStage) -> [String]) -> String {
    var rows = stages.map(cells)
    for column in 0..<(rows.map(\.count).max() ?? 0) {
      // The last cell of a row needs no blanks after it.
      let padded = rows.indices.filter { rows[$0].count > column + 1 }
      let width = padded.map { rows[$0][column].count }.max() ?? 0
      for row in padded { rows[row][column] += String(repeating: " ", count: width - rows[row][column].count) }
    }
    return rows.map { $0.joined(separator: "  ") }.joined(separator: "\n")
  }
}
