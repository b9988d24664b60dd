import ArgumentParser
import Artifacts
import Diagnostics
import Pipelines

struct StatusCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status", abstract: "Show each stage, whether it would run, and where its result is.")

  @OptionGroup var options: PipelineOptions

  func run() throws {
    for stage in try options.workspace().plan().stages {
      print("\(stage.name): \(stage.decision.words)\n  \(stage.output)")
    }
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
    guard let planned = try workspace.plan()[stage] else {
      let hint = nearest(to: stage, in: workspace.pipeline.stages.map(\.name)).map { "; did you mean '\($0)'?" } ?? ""
      throw Failure(.usage, "the pipeline has no stage '\(stage)'\(hint)", at: options.file)
    }
    print("\(planned.name): \(planned.decision.words)")
    for change in workspace.changes(of: planned).dropFirst() { print("  also: \(change)") }
    print("\nartifact  \(planned.output)\nkey       \(planned.key), the SHA-256 of")
    print(planned.identity.dependencies.pretty, terminator: "")
  }
}

struct GraphCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "graph", abstract: "Print the pipeline as a graph in Graphviz's language.")

  @OptionGroup var options: PipelineOptions

  func run() throws {
    let plan = try options.workspace().plan()
    print("digraph \"\(plan.pipeline)\" {\n  rankdir=LR; node [shape=box]")
    for stage in plan.stages {
      print(
        "  \"\(stage.name)\" [label=\"\(stage.name)\\n\(stage.identity.stage)\"\(stage.decision.isRun ? ", style=dashed" : "")]"
      )
      for source in stage.dependencies.sorted() { print("  \"\(source)\" -> \"\(stage.name)\"") }
    }
    print("}")
  }
}

struct VerifyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify", abstract: "Read every result of the pipeline again and compare it with its digests.")

  @OptionGroup var options: PipelineOptions

  func run() throws {
    var damaged: [String] = []
    for stage in try options.workspace().plan().stages {
      guard Files.exists(stage.output) else {
        print("\(stage.name): no result yet")
        continue
      }
      do {
        let artifact = try Artifact.open(stage.output, kind: stage.identity.kind, check: .digests)
        print("\(stage.name): \(artifact.manifest.files.count) files are as they were written")
      } catch let failure as Failure {
        print("\(stage.name): \(failure)")
        damaged.append(stage.name)
      }
    }
    guard damaged.isEmpty else { throw Failure(.badData, "damaged: \(damaged.joined(separator: ", "))") }
  }
}

struct CollectCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "gc", abstract: "List what no pipeline of the store needs any more, or remove it.")

  @OptionGroup var options: StoreOptions

  @Flag(help: "Remove it.")
  var delete = false

  func run() throws {
    let collector = Collector(Store(options.store))
    let garbage = try collector.garbage()
    for item in garbage { print("\(abbreviated(Double(item.size)))B\t\(item.path)") }
    if delete { try collector.remove(garbage) }
    let total = "\(garbage.count) of them, \(abbreviated(Double(garbage.reduce(0) { $0 + $1.size })))B"
    Log.note(delete ? "removed \(total)" : "\(total); --delete removes them")
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
  /// A line per stage: its name, and what will be done with it and why.
  var table: String {
    let width = stages.map(\.name.count).max() ?? 0
    return stages.map { stage in
      stage.name + String(repeating: " ", count: width - stage.name.count + 2) + stage.decision.words
    }.joined(separator: "\n")
  }
}
