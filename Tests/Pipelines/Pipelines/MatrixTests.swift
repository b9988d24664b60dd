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

  @Test func `a stage may read only the combinations with some values`() throws {
    let pipeline = """
      stages:
        text: {run: read, with: {text: TEXT}}
        one: {run: describe, from: {model: "a@rho=6,name=y"}}
        some: {run: join, from: {models: ["a@rho=8"]}}
        each: {run: describe, from: {model: "a@name=x"}, matrix: {kind: [short]}}
        a: {run: train, from: {tokens: text}, matrix: {rho: [6, 8], name: [x, y]}}
      """
    let stages = try Bench().pipeline(pipeline).stages
    #expect(stages.filter { $0.family == "one" }.map(\.name) == ["one@rho=6,name=y"])
    let some = try #require(stages.first { $0.name == "some" })
    #expect(some.inputs[0].sources == [.stage("a@rho=8,name=x"), .stage("a@rho=8,name=y")])
    #expect(
      stages.filter { $0.family == "each" }.map(\.name) == [
        "each@rho=6,name=x,kind=short", "each@rho=8,name=x,kind=short",
      ])
    for (old, new, words) in [
      ("a@rho=8", "a@rho=7", "not a combination of the stage 'a', which is made as a@rho=6,name=x, a@rho=6,name=y"),
      ("a@rho=8", "a@size=8", "not a combination of the stage 'a'"), ("a@rho=8", "e@rho=8", "does not exist"),
    ] {
      let failure = #expect(throws: Failure.self) { try Bench().pipeline(pipeline.replacing(old, with: new)) }
      #expect(failure?.description.contains(words) == true, "\(failure as Any)")
    }
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

  @Test func `an option puts other values in the place of the file's`() throws {
    func names(_ yaml: String, _ set: String...) throws -> [String] {
      try Bench().pipeline(yaml, set: set).stages.filter { $0.family == "a" }.map(\.name)
    }
    #expect(
      try names(Self.pipeline, "a.rho=[7, 9]")
        == ["a@rho=7,name=x", "a@rho=7,name=y", "a@rho=9,name=x", "a@rho=9,name=y"])
    #expect(try names(Self.pipeline, "a.rho=9") == ["a@rho=9,name=x", "a@rho=9,name=y"])
    #expect(try names(Self.pipeline, "a.rho=9", "a.name=[z]") == ["a@rho=9,name=z"])
    #expect(try names(Self.pipeline, "a.rho=[7, 9]", "a.rho=8").count == 2)
    let nested = "stages: {a: {run: train, matrix: {section.width: [1, 2]}, from: {tokens: ./text}}}"
    #expect(try names(nested, "a.section.width=[3, 4]") == ["a@section.width=3", "a@section.width=4"])
    // A key that the file has no values for is one of the stage, as it is without a matrix.
    let plain = try Bench().pipeline(Self.pipeline, set: ["b.rho=[7, 9]", "a.threads=2"]).stages
    #expect(plain.first { $0.name == "b" }?.configuration.json == ["rho": [7, 9]])
    #expect(plain.first { $0.family == "a" }?.configuration.json == ["threads": 2, "rho": 6, "name": "x"])
    let failure = #expect(throws: Failure.self) { try names(Self.pipeline, "a.rho=[7, 7]") }
    #expect(failure?.description == "--set a.rho=[7, 7]: rho has the value 7 twice")
  }

  /// The shape of `pipelines/smollm2.yaml`: one fit whose result is exported, others beside it, all compared.
  @Test func `another value for one stage changes the keys of what reads from it, and no others`() throws {
    let bench = try Bench()
    let yaml = """
      stages:
        tokens: {run: read, with: {text: TEXT}}
        tempnet: {run: train, from: {tokens: tokens}}
        other-inputs: {run: train, from: {tokens: tokens}, matrix: {name: [scaled, hidden]}}
        other-budgets: {run: train, from: {tokens: tokens}, matrix: {rho: [7, 8]}}
        evaluation: {run: describe, from: {model: tempnet}}
        comparison: {run: join, from: {models: [tempnet, other-inputs, other-budgets]}}
        bundle: {run: join, from: {models: tempnet, evaluation: evaluation}}
      """
    let before = try bench.plan(yaml)
    func changed(_ set: String) throws -> Set<String> {
      let after = try bench.plan(yaml, set: [set])
      return Set(after.stages.filter { $0.key != before[$0.name]?.key }.map(\.name))
    }
    #expect(try changed("tempnet.rho=8") == ["tempnet", "evaluation", "comparison", "bundle"])
    #expect(try changed("other-budgets.rho=[8, 9]") == ["other-budgets@rho=9", "comparison"])
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
