import Artifacts
import Configuration
import Diagnostics
import Files
import Glibc
import Pipelines
import StageDescriptions
import Testing

@Suite struct PlannerTests {
  @Test func `before anything ran every stage has no artifact yet`() throws {
    #expect(Set(try Bench().decisions().values) == [.run("no artifact yet")])
  }

  /// Breaks where a description does not hand on its vocabulary, or the budget is first looked at by the program.
  @Test(arguments: [("rho: 6", "rho 6.0", "below"), ("entropy: 5.8", "entropy 5.8", "at most")])
  func `a budget that the vocabulary cannot meet is refused before anything runs`(
    setting: String, stated: String, range: String
  ) throws {
    let bench = try Bench()
    func plan(_ vocabulary: Int) throws -> Plan {
      let yaml = """
        stages:
          words: {run: tokenize, with: {corpus: ['\(bench.folder.path)/text.txt'], vocabulary: \(vocabulary)}}
          model: {run: pretrain, from: {tokens: words}}
          states: {run: features, from: {model: model, tokens: words}}
          fitted:
            run: fit
            from: {features: states}
            with: {\(setting)}
        """
      let pipeline = try PipelineSpecification(
        YAMLSource.parse(yaml, source: "p.yaml"), overrides: [], known: Stages.all)
      return try Workspace(pipeline: pipeline, store: bench.store).plan(Selection())
    }
    // ln 300 = 5.7038, ln 500 = 6.2146.
    let failure = #expect(throws: Failure.self) { try plan(300) }
    #expect(failure?.status == .badConfiguration && failure?.place?.hasPrefix("p.yaml, line 8") == true)
    #expect(failure?.message.hasPrefix("stage fitted: \(stated) cannot be met with 300 logits") == true)
    #expect(failure?.message.contains("\(range) ln 300 = 5.7038") == true)
    #expect(try plan(500).work.count == 4)
  }

  @Test func `after a run everything is up to date and nothing is left to do`() async throws {
    let bench = try Bench()
    try await bench.run(try bench.plan())
    #expect(Set(try bench.decisions().values) == [.upToDate])
    #expect(try await bench.run(try bench.plan()) == nil)
  }

  @Test func `planning writes nothing into a store, and saving digests only into one that exists`() throws {
    let bench = try Bench()
    // Only digests of files that have settled are remembered: without the pause there would be nothing to save.
    usleep(50_000)
    let workspace = try Workspace(pipeline: try bench.pipeline(), store: bench.store)
    _ = try workspace.plan()
    try workspace.saveDigests()
    #expect(!Files.exists(bench.store.path))
    try Files.makeFolder(bench.store.path)
    _ = try workspace.plan()
    #expect(try Files.list(bench.store.path).isEmpty)
    try workspace.saveDigests()
    #expect(try Files.list(bench.store.path) == ["digests.json"])
  }

  @Test func `a changed setting runs its stage and those that read from it, each with its reason`() async throws {
    let bench = try Bench()
    try await bench.run(try bench.plan())
    let decisions = try bench.decisions(set: ["a.rho=7"])
    #expect(decisions["text"] == .upToDate && decisions["b"] == .upToDate)
    #expect(decisions["a"] == .run("configuration.rho was 6, is 7"))
    #expect(decisions["words"] == .run("input model changed"))
    #expect(decisions["bundle"] == .run("input models changed"))
  }

  @Test func `going back to earlier settings finds the earlier results`() async throws {
    let bench = try Bench()
    try await bench.run(try bench.plan())
    try await bench.run(try bench.plan(set: ["a.rho=7"]))
    #expect(Set(try bench.decisions().values) == [.upToDate])
  }

  @Test func `the content of a raw file counts, not its path`() async throws {
    let bench = try Bench(text: "one")
    try await bench.run(try bench.plan())
    try AtomicFile.write("one", to: "\(bench.folder.path)/copy.txt")
    #expect(try bench.decisions(set: ["text.text=\(bench.folder.path)/copy.txt"])["text"] == .upToDate)
    try bench.write("two")
    #expect(try bench.decisions()["text"] == .run("file text changed"))
    try Files.remove("\(bench.folder.path)/text.txt")
    #expect { try bench.plan() } throws: { ($0 as? Failure)?.status == .missingInput }
  }

  @Test func `an artifact that is gone or damaged is made again`() async throws {
    let bench = try Bench()
    let plan = try bench.plan()
    try await bench.run(plan)
    let (a, b) = (try #require(plan["a"]), try #require(plan["b"]))
    try Files.remove(a.output)
    try AtomicFile.write("longer than it was", to: "\(b.output)/result.html")
    #expect(try bench.decisions()["a"] == .run("its artifact is gone"))
    #expect(
      try bench.decisions()["b"]
        == .run("its artifact is damaged: \(b.output)/result.html: has 18 bytes where the manifest says 9"))
    try await bench.run(try bench.plan())
    #expect(Set(try bench.decisions().values) == [.upToDate])
    #expect(!Files.exists("\(b.output).replaced"))
  }

  @Test func `interrupted work is continued and keeps its reason`() async throws {
    let bench = try Bench()
    let stage = try #require(try bench.plan()["text"])
    let builder = try ArtifactBuilder(output: stage.output, identity: stage.identity)
    try Files.makeFolder("\(builder.checkpointsPath)/000000000001")
    #expect(try bench.decisions()["text"] == .run("no artifact yet; continues interrupted work"))
    #expect(try bench.plan()["text"]?.unfinishedWork == Files.folder(of: builder.checkpointsPath))
    #expect(try bench.plan()["a"]?.unfinishedWork == nil)
  }

  @Test func `a forced stage runs although its artifact is there, and others do not`() async throws {
    let bench = try Bench()
    try await bench.run(try bench.plan())
    let plan = try bench.plan(select: Selection(forced: ["a"]))
    #expect(plan.work.map(\.name) == ["a"] && plan["a"]?.decision == .run("forced"))
    let executor = RecordingExecutor(plan)
    try await bench.run(plan, executor: executor)
    #expect(executor.stages == ["a"])
  }

  @Test func `a selected stage brings what it needs, and from a stage on what depends on it`() throws {
    let bench = try Bench()
    #expect(try bench.plan(select: Selection(stages: ["words"])).work.map(\.name) == ["text", "a", "words"])
    #expect { try bench.plan(select: Selection(from: ["a"])) } throws: {
      ($0 as? Failure)?.description == "a needs the result of text, which does not exist; run text too"
    }
    #expect { try bench.plan(select: Selection(forced: ["aa"])) } throws: {
      ($0 as? Failure)
        == Failure(.badConfiguration, "the pipeline has no stage 'aa'; did you mean 'a'?", at: "sample.yaml")
    }
  }

  @Test func `from a stage on nothing else runs`() async throws {
    let bench = try Bench()
    try await bench.run(try bench.plan())
    let plan = try bench.plan(select: Selection(from: ["words"], forced: ["words"]))
    #expect(plan["b"]?.decision == .leftOut && plan.work.map(\.name) == ["words"])
    #expect { try bench.plan(select: Selection(from: ["words"], forced: ["b"])) } throws: {
      ($0 as? Failure)?.description == "sample.yaml: 'b' is forced, but is not one of the chosen stages"
    }
    #expect { try bench.plan(select: Selection(stages: ["text"], from: ["words"])) } throws: {
      ($0 as? Failure)?.status == .badConfiguration && "\($0)".contains("no stage in common")
    }
  }

  @Test func `cores give the threads and stay out of the key`() throws {
    let bench = try Bench()
    let yaml = "stages:\n  t: {run: read, with: {text: TEXT}}\n  m: {run: train, from: {tokens: t}CORES}\n"
    func stage(_ cores: String) throws -> PlannedStage {
      var text = yaml
      text.replace("CORES", with: cores)
      return try #require(try bench.plan(text)["m"])
    }
    let (plain, four) = (try stage(""), try stage(", cores: 4"))
    #expect(plain.configuration.json == [:] && four.configuration.json == ["threads": 4])
    #expect(plain.key == four.key)
    #expect(try stage(", cores: 4, with: {threads: 3}").configuration.json == ["threads": 3])
  }

  @Test func `an artifact of some other run can be read from`() async throws {
    let bench = try Bench()
    let plan = try bench.plan()
    try await bench.run(plan)
    let model = try #require(plan["a"])
    let other = try bench.plan("stages: {w: {run: describe, from: {model: \(model.output)}}}")
    #expect(other["w"]?.key == plan["words"]?.key)
    #expect(other["w"]?.inputs == ["model": [model.output]])
    #expect { try bench.plan("stages: {w: {run: describe, from: {model: ./nothing}}}") } throws: {
      ($0 as? Failure)?.status == .missingInput
    }
  }

  @Test func `errors in a configuration name the line in the pipeline`() throws {
    #expect {
      try Bench().plan("stages:\n  t:\n    run: read\n    with:\n      text: x\n      vocabular: 3\n")
    } throws: {
      ($0 as? Failure)
        == Failure(
          .badConfiguration, "unknown key 'vocabular'; did you mean 'vocabulary'?", at: "sample.yaml, line 6")
    }
  }

  @Test func `errors in a setting of the command line name the option`() throws {
    #expect { try Bench().plan(set: ["b.rho=-1"]) } throws: {
      ($0 as? Failure)
        == Failure(.badConfiguration, "rho must be a number from 0 to 9, not '-1'", at: "--set b.rho=-1")
    }
  }

  @Test func `damage that only verifying finds makes just that artifact anew`() async throws {
    let bench = try Bench()
    let plan = try bench.plan()
    try await bench.run(plan)
    let b = try #require(plan["b"])
    try AtomicFile.write("MADE by b", to: "\(b.output)/result.html")
    #expect(Set(try bench.decisions().values) == [.upToDate], "sizes alone do not show it")
    #expect(throws: Failure.self) { try Artifact.verify(b.output, kind: b.identity.kind) }
    let decisions = try bench.decisions()
    guard case .run(let reason) = decisions["b"] else {
      Issue.record("\(decisions)")
      return
    }
    #expect(
      reason.hasPrefix("its artifact is damaged: \(b.output): was found to be damaged: \(b.output)/result.html: "))
    #expect(decisions.values.count { $0 != .upToDate } == 1)
    try await bench.run(try bench.plan())
    #expect(Set(try bench.decisions().values) == [.upToDate])
    #expect(try Artifact.verify(b.output).key == b.key)
  }
}
