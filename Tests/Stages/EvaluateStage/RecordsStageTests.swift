import Artifacts
import Configuration
import Diagnostics
import Files
import JSON
import StageDescriptions
import TestSupport
import Testing
import Weights

@testable import EvaluateStage
@testable import ScoreStage

/// Evaluation from records, against evaluation of their model.
@Suite struct RecordsStageTests {
  private let world: TinyWorld

  init() throws {
    world = try TinyWorld(documents: 2)
    let choices = (0..<5).map {
      "{\"group\": \($0 / 2), \"goal\": \"word\($0)\", \"sol1\": \"is \($0)\", \"sol2\": \"word is\", \"label\": \($0 % 2)}"
    }
    try world.folder.write(choices.joined(separator: "\n"), to: "tasks/choices.jsonl")
    try world.folder.write("task: piqa\ndata: choices.jsonl\nmutual_information: true\n", to: "tasks/choices.yaml")
    let pages = (0..<3).map { "{\"page\": \"\((0..<9 * $0).map { "word\($0 % 11) is" }.joined(separator: " "))\"}" }
    try world.folder.write(pages.joined(separator: "\n"), to: "tasks/pages.jsonl")
    try world.folder.write("task: wikitext\nname: pages\ndata: pages.jsonl\n", to: "tasks/pages.yaml")
  }

  private var tasks: String {
    "tasks=[\(world.folder("tasks/choices.yaml")), \(world.folder("tasks/pages.yaml"))]"
  }

  private func scoring(
    _ settings: [String] = [], model: String = "model", tokens: String = "tokens", output: String = "records"
  ) throws -> StageRequest<Score> {
    let overrides = try (["threads=1", "device=cpu", "compute=float32"] + settings).map(
      ConfigurationOverride.init(parsing:))
    return try StageRequest(
      try ScoreConfiguration.resolve(file: nil, overrides: overrides),
      inputs: ["model": [world.folder(model)], "tokens": [world.folder(tokens)]], output: world.folder(output),
      digests: FileDigests())
  }

  private func evaluate(
    _ settings: [String] = [], records: [String] = ["records"], tempnet: [String] = ["fitted"],
    tokens: [String] = ["tokens"], output: String = "from-records"
  ) throws -> Artifact {
    let common = ["threads=1", "bootstrap.resamples=200", "device=cpu", "compute=float32"]
    let overrides = try (common + settings).map(ConfigurationOverride.init(parsing:))
    return try EvaluateStage.run(
      try StageRequest(
        try EvaluateConfiguration.resolve(file: nil, overrides: overrides),
        inputs: [
          "records": records.map { world.folder($0) }, "tempnet": tempnet.map { world.folder($0) },
          "tokens": tokens.map { world.folder($0) },
        ], output: world.folder(output), digests: FileDigests()))
  }

  private func metrics(_ artifact: Artifact) throws -> JSON {
    let path = try artifact.file("metrics.json")
    return try JSON(parsing: Files.read(path), source: path)
  }

  @Test(arguments: [[], ["stride=5", "batch_tokens=40"]])
  func `records answer policies as their model does, to the byte`(settings: [String]) throws {
    let policies = "policies={cool: 0.5, edt: 'entropy-dynamic:1,1.5', range: dynamic-range:0.5..1.5}"
    let direct = try world.evaluate(settings + [tasks, policies])
    _ = try ScoreStage.run(scoring(settings + [tasks]))
    let read = try evaluate([policies])
    for name in ["tokens.safetensors", "items-piqa.jsonl", "items-pages.jsonl"] {
      #expect(read.digest(of: name) == direct.digest(of: name), "\(name)")
    }
    var (a, b) = (try metrics(direct), try metrics(read))
    for name in ["inputs", "configuration"] { (a[name], b[name]) = (.null, .null) }
    #expect(a == b)
    // Five items in groups of two.
    #expect(a["tasks"]?.arrayValue?.first?["clusters"] == 3)
    #expect(try text(read.file("report.html")).contains("<section id=\"passage\">"))
  }

  @Test func `scoring that is interrupted after every pass gives the same bytes`() throws {
    let whole = try contents(ScoreStage.run(scoring([tasks, "batch_tokens=40", "checkpoint_seconds=0"])).path)
    let request = try scoring([tasks, "batch_tokens=40", "checkpoint_seconds=0"], output: "again")
    var interruptions = 0
    var artifact: Artifact?
    while artifact == nil {
      do {
        artifact = try ScoreStage.run(request) { true }
      } catch let failure as Failure {
        try #require(failure.status == .tryAgain)
        interruptions += 1
      }
    }
    #expect(try interruptions > 5 && contents(artifact!.path) == whole)
  }

  @Test func `records without hidden states answer what needs none, and name a policy that does`() throws {
    _ = try ScoreStage.run(scoring(["hidden=false"]))
    let failure = #expect(throws: Failure.self) { try evaluate() }
    #expect(failure?.place == "policy model" && failure?.message.contains("hidden=true") == true)
    let other = try TinyWorld(documents: 2, hasOwnTempNet: false)
    try Files.rename(other.folder("model"), to: world.folder("bare"))
    _ = try ScoreStage.run(scoring(model: "bare", output: "bare-records"))
    let artifact = try evaluate(records: ["bare-records"], tempnet: [], tokens: [], output: "bare-evaluation")
    #expect(artifact.manifest.summary["policies"]?.arrayValue?.count == 4)
    #expect(try !text(artifact.file("report.html")).contains("<section id=\"passage\">"))
  }

  @Test func `temperatures that the records do not answer are refused with the policy's name`() throws {
    _ = try ScoreStage.run(scoring(["tau_min=0.4", "tau_max=3"]))
    let failure = #expect(throws: Failure.self) { try evaluate(["policies={hot: 3.5}"]) }
    #expect(failure?.status == .badConfiguration && failure?.description.contains("policy hot") == true)
    let bounds = #expect(throws: Failure.self) { try evaluate(["tau_max=4"], output: "wide") }
    #expect(bounds?.status == .badConfiguration && bounds?.place == "tau_min, tau_max")
  }

  @Test func `several models are compared over the same tokens, from records and as baselines alike`() throws {
    let other = try TinyWorld(documents: 2, hasOwnTempNet: false, seed: 77)
    try Files.rename(other.folder("model"), to: world.folder("plain"))
    _ = try ScoreStage.run(scoring())
    _ = try ScoreStage.run(scoring(model: "plain", output: "plain-records"))
    let read = try evaluate(records: ["records", "plain-records"])
    let direct = try EvaluateStage.run(
      try world.request(baseline: [world.folder("plain")], output: "direct"))
    #expect(read.digest(of: "tokens.safetensors") == direct.digest(of: "tokens.safetensors"))
    let json = try metrics(read)
    let policies = json["policies"]!.arrayValue!
    #expect(policies.suffix(2).map { $0["name"]! } == ["baseline", "baseline-best"])
    // The same figures as an evaluation of the other model by itself.
    let alone = try metrics(evaluate(["rho=2"], records: ["plain-records"], tempnet: [], output: "alone"))
    let one = alone["policies"]!.arrayValue![0]
    for name in ["cross_entropy", "brier", "calibration"] { #expect(policies[6][name] == one[name]) }
    #expect(policies[6]["accuracy"] == alone["accuracy"])
    #expect(
      json["differences"]!.arrayValue!.contains {
        $0["policy"] == "baseline" && $0["reference"] == "tempnet" && $0["metric"] == "cross_entropy"
      })
    #expect(try text(read.file("report.html")).contains("against the baseline model at temperature 1"))
    #expect(json["seeds"] == nil)
  }

  @Test func `a model's own TempNet is measured beside it, whichever of two is the baseline`() throws {
    let other = try TinyWorld(documents: 2, seed: 77)
    try Files.rename(other.folder("model"), to: world.folder("second"))
    let settings = ["rho=2", "tau_min=0.5", "tau_max=3"]
    func policies(_ model: String, _ baseline: String) throws -> [JSON] {
      let artifact = try EvaluateStage.run(
        world.request(
          settings, tempnet: [], model: world.folder(model), baseline: [world.folder(baseline)],
          output: "\(model)-first"))
      return try #require(metrics(artifact)["policies"]?.arrayValue)
    }
    let (forth, back) = (try policies("model", "second"), try policies("second", "model"))
    for (own, name) in [("one", "baseline"), ("best", "baseline-best"), ("model", "baseline-model")] {
      let one = try #require(back.first { $0["name"]?.stringValue == own })
      let two = try #require(forth.first { $0["name"]?.stringValue == name })
      for figure in ["cross_entropy", "robust_loss", "brier", "calibration", "temperature"] {
        #expect(one[figure] == two[figure], "\(own) \(figure)")
      }
    }
  }

  @Test func `records of other tokens are not compared`() throws {
    let other = try TinyWorld(documents: 3)
    for name in ["model", "tokens"] { try Files.rename(other.folder(name), to: world.folder("other-\(name)")) }
    _ = try ScoreStage.run(scoring())
    _ = try ScoreStage.run(scoring(model: "other-model", tokens: "other-tokens", output: "other-records"))
    let failure = #expect(throws: Failure.self) { try evaluate(records: ["records", "other-records"]) }
    #expect(failure?.status == .badData && failure?.message.contains("other tokens") == true)
  }

  @Test func `records stand in for a model, and for its tasks`() throws {
    _ = try ScoreStage.run(scoring())
    let failure = #expect(throws: Failure.self) { try evaluate([tasks]) }
    #expect(failure?.status == .badConfiguration && failure?.message.contains("stage score") == true)
    #expect(Evaluate.problem(try world.request().configuration, withInputs: ["records", "model"])?.isEmpty == false)
    #expect(Evaluate.problem(try world.request().configuration, withInputs: ["model"])?.isEmpty == false)
  }
}
