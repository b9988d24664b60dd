import Files
import Glibc
import JSON
import TestSupport
import Testing

/// Events in the life of a store.
@Suite(.serialized, .enabled(if: slowTestsEnabled), UndisturbedPipeline(.small)) struct StoreTests {
  private let pipeline: TinyPipeline
  private let undisturbed: [String: ArtifactContent]

  init() throws {
    let made = try #require(UndisturbedPipeline.made)
    (pipeline, undisturbed) = (made.pipeline, made.results)
  }

  private func run(_ arguments: [String] = [], store: String) async throws -> Outcome {
    let outcome = try await pipeline.run(arguments, store: store)
    try #require(outcome.end == .exited(0), "\(outcome)")
    return outcome
  }

  @Test func `eight runners on one store do each other no harm`() async throws {
    let outcomes = try await withThrowingTaskGroup(of: Outcome.self) { group in
      for _ in 1...8 { group.addTask { try await pipeline.run(store: "eight") } }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    for outcome in outcomes { #expect(outcome.end == .exited(0), "\(outcome)") }
    #expect(try pipeline.results(store: "eight") == undisturbed)
    for run in try Files.list(pipeline.folder("eight/runs/tiny")) {
      let record = pipeline.folder("eight/runs/tiny/\(run)/run.json")
      let stages = try JSON(parsing: try Files.read(record), source: record)["stages"]?.objectValue ?? [:]
      for (name, stage) in stages {
        #expect(
          ["made", "made by another run", "up to date"].contains(stage["state"]?.stringValue), "\(name) in \(run)")
      }
    }
    #expect(try Files.list(pipeline.folder("eight/artifacts")).count == pipeline.stages.count, "nothing is left over")
  }

  @Test func `a runner that is killed leaves no process and no lock behind`() async throws {
    for stage in ["pretrain", "features", "fit"] {
      let store = "killed-in-\(stage)"
      let runner = try pipeline.start(store: store)
      let artifacts = pipeline.folder("\(store)/artifacts")
      func locks() -> [String] {
        ((try? Files.list(artifacts)) ?? []).filter { $0.hasSuffix(".lock") }.map { "\(artifacts)/\($0)" }
      }
      while !locks().contains(where: { $0.contains("/\(stage)-") && FileLock.holder($0) != nil }) {
        try #require(runner.isRunning)
        try await Task.sleep(for: .milliseconds(2))
      }
      runner.send(SIGKILL)
      _ = try await runner.outcome()
      let deadline = ContinuousClock.now + .seconds(20)
      while try !processes(in: pipeline.folder.path).isEmpty, ContinuousClock.now < deadline {
        try await Task.sleep(for: .milliseconds(20))
      }
      #expect(try processes(in: pipeline.folder.path) == [], "orphans of a runner killed in \(stage)")
      for lock in locks() { #expect(FileLock.holder(lock) == nil, "\(lock)") }
      _ = try await run(store: store)
      #expect(try pipeline.results(store: store) == undisturbed)
    }
  }

  @Test func `a moved store stays valid, with its unfinished work`() async throws {
    _ = try await run(["--stage", "features"], store: "here")
    let fit = try pipeline.start(store: "here")
    try await Task.sleep(for: .milliseconds(700))
    fit.send(SIGKILL)
    _ = try await fit.outcome()
    try Files.makeFolder(pipeline.folder("elsewhere"))
    try Files.rename(pipeline.folder("here"), to: pipeline.folder("elsewhere/there"))
    let plan = try await run(["--dry-run"], store: "elsewhere/there")
    for stage in ["tokens", "model", "features"] {
      #expect(plan.lines.contains { $0.hasPrefix(stage) && $0.hasSuffix("up to date") }, "\(plan)")
    }
    _ = try await run(store: "elsewhere/there")
    #expect(try pipeline.results(store: "elsewhere/there") == undisturbed)
    #expect(try await pipeline.inspect("verify", store: "elsewhere/there").end == .exited(0))
    // The same store by an absolute path.
    #expect(try await run(store: pipeline.folder("elsewhere/there")).errors.contains("nothing to do"))
  }

  @Test func `runs in cron's bare environment, and --quiet prints nothing`() async throws {
    for environment in [[:], ["PATH": "/nonexistent", "HOME": "/nonexistent", "LANG": "xx_XX"]] {
      let store = environment.isEmpty ? "bare" : "odd"
      let outcome = try await pipeline.run(["--quiet"], store: store, environment: environment)
      #expect(outcome.end == .exited(0), "\(outcome)")
      #expect(outcome.output.isEmpty && outcome.errors.isEmpty, "\(outcome)")
      #expect(try pipeline.results(store: store) == undisturbed)
    }
  }

  @Test func `verify names damaged results, and the next run makes only these anew and gives the reason`() async throws
  {
    _ = try await run(store: "store")
    let path = pipeline.folder("store/latest/tiny/model/model.safetensors")
    var bytes = try Files.read(path)
    bytes[bytes.count - 3] ^= 1
    try AtomicFile.write(bytes, to: path)
    let found = try await pipeline.inspect("verify")
    #expect(found.end == .exited(65), "\(found)")
    #expect(found.errors.contains("damaged: model"), "\(found)")
    #expect(found.lines.contains { $0.hasPrefix("model: ") && $0.contains("model.safetensors: has the SHA-256") })
    let plan = try await run(["--dry-run"], store: "store")
    #expect(plan.lines.filter { !$0.hasSuffix("up to date") }.count == 1, "\(plan)")
    #expect(
      plan.lines.contains {
        $0.hasPrefix("model") && $0.contains("its artifact is damaged: ") && $0.contains("SHA-256")
      })
    _ = try await run(store: "store")
    #expect(try pipeline.results(store: "store") == undisturbed)
    #expect(try await pipeline.inspect("verify").end == .exited(0))
  }

  @Test func `gc lists unneeded artifacts with their sizes and then removes them`() async throws {
    _ = try await run(["--stage", "tokens"], store: "gc")
    _ = try await run(["--stage", "tokens", "--set", "tokens.vocabulary=370"], store: "gc")
    let shown = try await Program.run(["gc", "--store", "gc"], in: pipeline.folder.path)
    #expect(shown.end == .exited(0) && shown.lines.count == 1, "\(shown)")
    let columns = shown.lines[0].split(separator: "\t")
    #expect(columns[0].hasSuffix("kB") && columns[1].hasPrefix("gc/artifacts/tokenize-"), "\(shown)")
    #expect(Files.exists(pipeline.folder(String(columns[1]))))
    let removed = try await Program.run(["gc", "--delete", "--store", "gc"], in: pipeline.folder.path)
    #expect(removed.end == .exited(0) && removed.output == shown.output, "\(removed)")
    #expect(!Files.exists(pipeline.folder(String(columns[1]))))
    let left = try await run(["--stage", "tokens", "--set", "tokens.vocabulary=370"], store: "gc")
    #expect(left.errors.contains("nothing to do"), "\(left)")
  }

  @Test func `the graph is printed as text and in Graphviz's language`() async throws {
    let text = try await pipeline.inspect("graph", store: "none")
    #expect(
      text.output == """
        tokens      tokenize
        model       pretrain  <- tokens
        features    features  <- tokens, model
        tempnet     fit       <- features
        evaluation  evaluate  <- tokens, model, tempnet
        bundle      export    <- tempnet, evaluation

        """, "\(text)")
    let dot = try await pipeline.inspect("graph", ["--format", "dot"], store: "none")
    #expect(dot.lines.first == "digraph \"tiny\" {" && dot.lines.last == "}", "\(dot)")
    #expect(dot.lines.contains("  \"tokens\" [label=\"tokens\\ntokenize\", style=dashed]"), "\(dot)")
    #expect(dot.lines.contains("  \"features\" -> \"tempnet\""), "\(dot)")
  }
}
