import Artifacts
import Configuration
import Diagnostics
import Pipelines
import Testing

@Suite struct MatrixTests {
  private static let pipeline = """
    stages:
      text: {run: read, with: {text: TEXT}}
      a: {run: train, from: {tokens: text}, matrix: {rho: [6, 8], name: [x, y]}}
      b: {run: train, from: {tokens: text}}
      all: {run: join, from: {models: [a, b]}}
      words: {run: describe, from: {model: a}}
      each: {run: join, from: {models: [a, b], evaluation: words}}
    """

  private func failure(_ stage: String) throws -> String? {
    try #require(
      throws: Failure.self, performing: { try Bench().pipeline("stages:\n  a: {run: train, \(stage)}\n") }
    ).description
  }

  @Test func `a stage is made for every combination, the last setting changing fastest`() throws {
    let stages = try Bench().pipeline(Self.pipeline).stages.filter { $0.family == "a" }
    #expect(stages.map(\.name) == ["a@rho=6,name=x", "a@rho=6,name=y", "a@rho=8,name=x", "a@rho=8,name=y"])
    #expect(stages[1].configuration.json == ["rho": 6, "name": "y"])
  }

  @Test func `what reads one of them is made once for each, what reads several reads all`() throws {
    let stages = try Bench().pipeline(Self.pipeline).stages
    #expect(stages.filter { $0.family == "words" }.map(\.name).last == "words@rho=8,name=y")
    let all = try #require(stages.first { $0.name == "all" })
    #expect(all.inputs[0].sources.count == 5)
    let each = try #require(stages.first { $0.name == "each@rho=6,name=y" })
    #expect(each.inputs.map(\.sources) == [[.stage("a@rho=6,name=y"), .stage("b")], [.stage("words@rho=6,name=y")]])
  }

  @Test func `combinations have keys of their own, and a changed value leaves the others alone`() async throws {
    let bench = try Bench()
    let plan = try bench.plan(Self.pipeline)
    #expect(Set(plan.stages.map(\.key)).count == plan.stages.count)
    try await bench.run(plan)
    let changed = Self.pipeline.replacing("rho: [6, 8]", with: "rho: [6, 7]")
    let work = try bench.plan(changed).work.map(\.name)
    #expect(
      work == [
        "a@rho=7,name=x", "a@rho=7,name=y", "all", "words@rho=7,name=x", "words@rho=7,name=y", "each@rho=7,name=x",
        "each@rho=7,name=y",
      ])
  }

  @Test func `a name stands for all of its combinations where stages are chosen`() throws {
    let bench = try Bench()
    func wanted(_ name: String) throws -> [String] {
      try bench.plan(Self.pipeline, select: Selection(stages: [name])).work.map(\.name)
    }
    #expect(try wanted("a").count == 5)
    #expect(try wanted("a@rho=6,name=y") == ["text", "a@rho=6,name=y"])
  }

  @Test func `a matrix that cannot be is refused with its line`() throws {
    #expect(
      try failure("matrix: [rho]")
        == "sample.yaml, line 2: matrix must be a mapping from settings to lists of values, not a list of 1")
    #expect(try failure("matrix: {rho: 6}") == "sample.yaml, line 2: rho needs a list of values, not '6'")
    #expect(try failure("matrix: {rho: [6, 6]}") == "sample.yaml, line 2: rho has the value 6 twice")
    #expect(try failure("matrix: {name: [a/b]}")?.contains("cannot be part of a stage's name") == true)
    #expect(
      try failure("matrix: {rho: [6]}, with: {rho: 7}")
        == "sample.yaml, line 2: a: rho is given under with and under matrix")
  }
}
