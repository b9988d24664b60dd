import Artifacts
import Configuration
import Diagnostics
import Files
import Foundation
import JSON
import LanguageEvaluation
import StageDescriptions
import TestSupport
import Testing

@testable import EvaluateStage
@testable import ScoreStage

@Suite struct TaskStageTests {
  private let world: TinyWorld

  init() throws {
    world = try TinyWorld()
    let choices = (0..<9).map {
      "{\"goal\": \"word\($0)\", \"sol1\": \"is \($0)\", \"sol2\": \"word\", \"label\": \($0 % 2)}"
    }
    try world.folder.write(choices.joined(separator: "\n"), to: "tasks/choices.jsonl")
    try world.folder.write("task: piqa\ndata: choices.jsonl\nmutual_information: true\n", to: "tasks/choices.yaml")
    let pages = (0..<4).map { "{\"page\": \"\((0..<7 * $0).map { "word\($0 % 11) is" }.joined(separator: " "))\"}" }
    try world.folder.write(pages.joined(separator: "\n"), to: "tasks/pages.jsonl")
    try world.folder.write("task: wikitext\nname: pages\ndata: pages.jsonl\n", to: "tasks/pages.yaml")
  }

  private var tasks: String {
    "tasks=[\(world.folder("tasks/choices.yaml")), \(world.folder("tasks/pages.yaml"))]"
  }

  private func lines(_ artifact: Artifact, _ name: String) throws -> [String] {
    try text(artifact.file(name)).split(separator: "\n").map(String.init)
  }

  private func metrics(_ artifact: Artifact) throws -> JSON {
    let path = try artifact.file("metrics.json")
    return try JSON(parsing: Files.read(path), source: path)
  }

  @Test func `every item is recorded, and the figures follow from the records`() throws {
    let artifact = try world.evaluate([tasks])
    let items = try lines(artifact, "items-piqa.jsonl").map { try JSON(parsing: $0, source: "items") }
    #expect(items.count == 9 && items.map { $0["item"] } == (0..<9).map { .integer($0) })
    let task = try #require(try metrics(artifact)["tasks"]?.arrayValue?.first)
    #expect(task["task"] == "piqa" && task["items"] == 9 && task["requests"] == 36 && task["version"] == "1.0")
    let policies = task["policies"]!.arrayValue!
    #expect(policies.map { $0["name"]! } == ["one", "best", "best-robust", "model", "tempnet", "exact"])
    let pages = try lines(artifact, "items-pages.jsonl").map { try JSON(parsing: $0, source: "items") }
    let pageTask = try #require(try metrics(artifact)["tasks"]?.arrayValue?.last)
    for (policy, pagePolicy) in zip(policies, pageTask["policies"]!.arrayValue!) {
      let name = policy["name"]!.stringValue!
      expect(policy, Self.figuresOfChoices(items, name))
      expect(pagePolicy, Self.figuresOfPages(pages, name))
    }
    let requests = items.flatMap { $0["requests"]!.arrayValue! }
    #expect(requests.allSatisfy { $0["temperature"]!["one"] == 1.0 })
    let temperatures = requests.map { $0["temperature"]!["tempnet"]!.doubleValue! }
    #expect(Set(temperatures).count > 1 && temperatures.allSatisfy { (0.5...3).contains($0) })
    #expect(requests.allSatisfy { $0["log_likelihood"]!["tempnet"] != $0["log_likelihood"]!["one"] })
    #expect(pages[0]["requests"]!.arrayValue![0]["tokens"] == 0)
    #expect(pages[3]["requests"]!.arrayValue![0]["tokens"]!.intValue! > TinyWorld.context)
    #expect(try text(artifact.file("report.html")).contains("<section id=\"tasks\">"))
    #expect(artifact.summary["tasks"]?.arrayValue?.count == 2)
  }

  /// Expects exactly these figures, by metric.
  private func expect(_ policy: JSON, _ figures: [String: Double]) {
    let found = policy["metrics"]!.objectValue!
    #expect(Set(found.keys) == Set(figures.keys))
    for (metric, figure) in figures {
      let value = found[metric]?["value"]?.doubleValue ?? .nan
      #expect(abs(value - figure) < 1e-9 * max(1, abs(figure)), "\(metric): \(value) instead of \(figure)")
    }
  }

  /// What records of two choices each come to, by the definitions of `FORMAT.md`.
  private static func figuresOfChoices(_ items: [JSON], _ policy: String) -> [String: Double] {
    var sums: [String: Double] = [:]
    for item in items {
      let (requests, gold) = (item["requests"]!.arrayValue!, item["gold"]!.intValue!)
      let scores = requests.map { $0["log_likelihood"]![policy]!.doubleValue! }
      func add(_ metric: String, _ first: Double, _ second: Double) {
        sums[metric, default: 0] += (second > first ? 1 : 0) == gold ? 1 : 0
      }
      func size(_ choice: Int, _ unit: String) -> Double { requests[choice][unit]!.doubleValue! }
      add("acc", scores[0], scores[1])
      add("acc_norm", scores[0] / size(0, "characters"), scores[1] / size(1, "characters"))
      add("acc_bytes", scores[0] / size(0, "bytes"), scores[1] / size(1, "bytes"))
      add("acc_mutual_info", scores[0] - scores[2], scores[1] - scores[3])
      sums["exact_match", default: 0] += requests[gold]["greedy"]!.boolValue! ? 1 : 0
      let missing = 1 - 1 / (1 + exp(scores[1 - gold] - scores[gold]))
      sums["brier_score", default: 0] += 2 * missing * missing
    }
    return sums.mapValues { $0 / Double(items.count) }
  }

  private static func figuresOfPages(_ items: [JSON], _ policy: String) -> [String: Double] {
    let pages = items.map { $0["requests"]!.arrayValue![0] }
    func sum(_ unit: String) -> Double { pages.reduce(0) { $0 + $1[unit]!.doubleValue! } }
    let loss = -pages.reduce(0.0) { $0 + $1["log_likelihood"]![policy]!.doubleValue! }
    return [
      "word_perplexity": exp(loss / sum("words")), "byte_perplexity": exp(loss / sum("bytes")),
      "bits_per_byte": loss / sum("bytes") / log(2),
    ]
  }

  @Test func `what is scored reproducibly shares no pass of the model`() throws {
    let sequences = try (0..<4).map { number in
      try #require(ScoredSequence(EncodedPair(context: [1, 2, 3], continuation: [4, Int32(number)]), length: 16))
    }
    func plan(_ settings: [String]) throws -> ScoringPlan {
      let configuration = try world.request(settings).configuration
      return ScoringPlan(
        sequences, configuration.tasks, batchTokens: configuration.text.batchTokens, constantLength: nil)
    }
    #expect(try plan(["reproducible=true"]) == ScoringPlan(alone: sequences))
    #expect(try plan(["reproducible=true"]).batches.count == 4)
    #expect(try plan([]).batches.count == 1)
  }

  @Test func `scored reproducibly, an item's record is the same whatever else is scored`() throws {
    let all = try world.evaluate([tasks, "reproducible=true"], output: "all")
    let few = try world.evaluate([tasks, "reproducible=true", "task_limit=2", "batch_tokens=64"], output: "few")
    for name in ["items-piqa.jsonl", "items-pages.jsonl"] {
      #expect(try Array(lines(all, name).prefix(2)) == lines(few, name))
    }
  }

  @Test func `without tasks nothing is said of them, and the key is what it was before there were any`() throws {
    let artifact = try world.evaluate()
    #expect(try metrics(artifact)["tasks"] == nil && artifact.summary["tasks"] == nil)
    #expect(!artifact.manifest.configuration.objectValue!.keys.contains { $0.contains("task") || $0 == "reproducible" })
    #expect(artifact.manifest.configuration["batch_tokens"] != nil)
  }

  @Test func `the key knows the content of tasks, not where they lie`() throws {
    let key = try world.request([tasks]).key
    try Files.makeFolder(world.folder("elsewhere"))
    try Files.rename(world.folder("tasks"), to: world.folder("elsewhere/tasks"))
    let moved = tasks.replacing("/tasks/", with: "/elsewhere/tasks/")
    #expect(try world.request([moved]).key == key)
    #expect(try world.request([moved, "task_limit=3"]).key != key)
    #expect(try world.request([moved, "reproducible=true"]).key != key)
    try world.folder.write("{\"page\": \"other\"}\n", to: "elsewhere/tasks/pages.jsonl")
    #expect(try world.request([moved]).key != key)
  }

  @Test func `two runs give the same bytes`() throws {
    let first = try contents(world.evaluate([tasks], output: "a").path)
    #expect(try contents(world.evaluate([tasks, "checkpoint_seconds=0"], output: "b").path) == first)
  }

  @Test func `a wrong line is found before anything is computed`() throws {
    try world.folder.write("{\"page\": \"fine\"}\n{\"pag\": \"x\"}\n", to: "tasks/pages.jsonl")
    let failure = #expect(throws: Failure.self) { try world.evaluate([tasks]) }
    #expect(failure?.status == .badData && failure?.description.contains("pages.jsonl, line 2") == true)
    // Work that got as far as the validation split would be kept to be continued.
    #expect(!Files.exists(world.folder("out.partial")))
  }
}
