import Configuration
import Diagnostics
import Pipelines
import Testing

@Suite struct PipelineSpecificationTests {
  private func failure(_ yaml: String, set: [String] = []) throws -> String? {
    do {
      _ = try Bench().pipeline(yaml, set: set)
      return nil
    } catch let failure as Failure {
      return failure.description
    }
  }

  @Test func `stages are sorted by what they read, otherwise in the order of the file`() throws {
    #expect(try Bench().pipeline().stages.map(\.name) == ["text", "a", "b", "words", "bundle"])
  }

  @Test func `a pipeline without a name is named after its file`() throws {
    #expect(try Bench().pipeline().name == "sample")
    #expect(try Bench().pipeline("pipeline: mine\n" + Bench.twoModels).name == "mine")
  }

  @Test func `resources are read`() throws {
    let stage = try Bench().pipeline(
      "stages: {a: {run: read, with: {text: t}, cores: 2, memory: 1.5 GiB, retries: 3}}"
    ).stages[0]
    #expect(stage.cores == 2 && stage.memory == 3 << 29 && stage.retries == 3)
    #expect(
      try failure("stages:\n  a: {run: read, memory: 3 GB}")
        == "sample.yaml, line 2: stages.a.memory must be an amount such as 500 MiB or 4 GiB, or nothing, not '3 GB'")
  }

  @Test func `unknown keys name the line and the nearest known key`() throws {
    #expect(
      try failure("stages:\n  a:\n    run: read\n    corse: 2\n")
        == "sample.yaml, line 4: unknown key 'stages.a.corse'; did you mean 'stages.a.cores'?")
    #expect(try failure("stage: {}\n") == "sample.yaml, line 1: unknown key 'stage'; did you mean 'stages'?")
  }

  @Test func `unknown stages are named with the nearest one`() throws {
    #expect(
      try failure("stages:\n  a: {run: reed}\n")
        == "sample.yaml, line 2: stages.a.run is not a stage: 'reed'; did you mean 'read'?")
    #expect(
      try failure("stages:\n  tokens: {run: read}\n  b:\n    run: train\n    from: {tokens: token}\n")
        == "sample.yaml, line 5: b reads from the stage 'token', which does not exist; did you mean 'tokens'?")
  }

  @Test func `cycles are shown`() throws {
    let cycle = """
      stages:
        a: {run: pass, from: {model: b}}
        b: {run: pass, from: {model: c}}
        c: {run: pass, from: {model: b}}
      """
    #expect {
      try PipelineSpecification(try YAMLSource.parse(cycle, source: "s.yaml"), known: [Pass.self])
    } throws: {
      "\($0)" == "s.yaml, line 3: stages wait for each other: b <- c <- b"
    }
  }

  @Test func `inputs have to be of the right kind and number`() throws {
    #expect(
      try failure("stages:\n  t: {run: read}\n  d: {run: describe, from: {model: t}}\n")
        == "sample.yaml, line 3: the input 'model' of d is of kind model, but the stage 't' makes tokens")
    #expect(
      try failure("stages:\n  d:\n    run: describe\n")
        == "sample.yaml, line 3: d: the stage describe needs the input 'model'")
    #expect(
      try failure("stages:\n  d: {run: train, from: {tokens: [./a, ./b]}}\n")
        == "sample.yaml, line 2: d: the stage train takes one 'tokens', not several")
    #expect(
      try failure("stages:\n  d: {run: train, from: [a]}\n")
        == "sample.yaml, line 2: from must be a mapping from inputs to stages, not a list of 1")
  }

  @Test func `names that cannot be files are refused`() throws {
    #expect(
      try failure("stages:\n  a/b: {run: read}\n")
        == "sample.yaml, line 2: a stage cannot be named 'a/b': use letters, digits, - and _")
    #expect(try failure("pipeline: ../x\nstages: {}\n")?.hasPrefix("sample.yaml, line 1: pipeline must be") == true)
    #expect(try failure("stages: {}\n") == "sample.yaml, line 1: stages must name at least one stage")
  }

  @Test func `settings of the command line go before those of the file`() throws {
    let pipeline = try Bench().pipeline(set: ["b.rho=7", "b.name=third"])
    #expect(pipeline.stages.first { $0.name == "b" }?.configuration.json == ["name": "third", "rho": 7])
    #expect(
      try failure(Bench.twoModels, set: ["bb.rho=7"])
        == "--set bb.rho=7: the pipeline has no stage 'bb'; did you mean 'b'?")
    #expect(try failure(Bench.twoModels, set: ["rho=7"]) == "--set rho=7: expected STAGE.KEY=VALUE")
  }
}
