import Artifacts
import Diagnostics
import EncoderDescriptions
import Files
import Foundation
import ImageTextModels
import JSON
import Pairs
import Reports
import RetrievalEvaluation
import TestSupport
import Testing
import Torch
import Weights

@testable import RetrieveStage

@Suite struct RetrieveStageTests {
  private let synthetic: Synthetic
  init() throws { synthetic = try Synthetic() }

  private func metrics(_ artifact: Artifact) throws -> JSON {
    let path = try artifact.file(RetrievalFile.name)
    return try JSON(parsing: Files.read(path), source: path, for: .strict)
  }

  private func list(_ json: JSON?, where matches: (JSON) -> Bool = { _ in true }) throws -> [JSON] {
    try #require(json?.arrayValue).filter(matches)
  }

  @Test func `losses are compared with CLIP at the temperature that validation chose, and with learned CLIP`() throws {
    let artifact = try RetrieveStage.run(try synthetic.request(try synthetic.study()))
    let file = try metrics(artifact)
    #expect(file["references"] == ["clip temperature=0.05", "clip learned"])
    let tuning = try list(file["tuning"])
    #expect(tuning.compactMap { $0["family"]?.stringValue } == ["clip", "clip learned", "sogclr"])
    #expect(tuning[0]["trials"]?.arrayValue?.count == 2)
    for split in ["test", "style"] {
      let better = try list(file["comparisons"]) {
        $0["split"]?.stringValue == split && $0["metric"] == "mean_recall" && $0["arm"] == "sogclr"
      }
      #expect(better.map { $0["verdict"] } == ["better", "better"], "\(split)")
      for comparison in better {
        let seeds = try list(comparison["seeds"])
        #expect(seeds.count == 3 && seeds.allSatisfy { $0["verdict"] == "better" })
        let interval = try #require(comparison["over_seeds"])
        #expect(try #require(interval["low"]?.doubleValue) < (try #require(interval["estimate"]?.doubleValue)))
      }
    }
    // The worse temperature takes part in the table of settings, not in comparisons.
    #expect(try list(file["comparisons"]) { $0["arm"] == "clip temperature=0.01" }.isEmpty)
    #expect(try list(file["arms"]).count == 4)
    // Two settings against one: learned CLIP is no fair reference for the fixed one.
    let unfair = try list(file["comparisons"]) { $0["arm"] == "clip temperature=0.05" }
    #expect(!unfair.isEmpty && unfair.allSatisfy { $0["verdict"] == "undecided" && $0["is_tuning_fair"] == false })
  }

  @Test func `figures are those of the embeddings, computed here again`() throws {
    let path = try synthetic.embeddings("clip", seed: 1, noise: 1)
    let artifact = try RetrieveStage.run(try synthetic.request([path]))
    let embeddings = try EmbeddingsArtifact(Artifact.open(path, kind: .embeddings))
    let positions = synthetic.table.pictures(of: .test)
    let image = embeddings.image.selected(0, indices: Tensor(positions)).to(.float64)
    let text = embeddings.text.selected(0, indices: Tensor(positions)).to(.float64)
    let scores = image.matmul(text.transposed()).doubles
    let count = positions.count
    let ranks = (0..<count).map { query in
      (0..<count).count { scores[query * count + $0] > scores[query * count + query] }
    }
    let split = try #require(
      try list(try list(try metrics(artifact)["runs"])[0]["splits"]) { $0["name"] == "test" }.first)
    let recalls = try list(split["image_to_text"]?["recall"]).compactMap { $0["recall"]?.doubleValue }
    for (k, recall) in zip([1, 5, 10], recalls) {
      #expect(abs(recall - Double(ranks.count { $0 < k }) / Double(count)) < 1e-12)
    }
    let stored = try SafetensorsFile(artifact.file("ranks.safetensors"))
    #expect(try Tensor(stored.entry("0.test.image_to_text")).integers == ranks.map(Int64.init))
    #expect(try Tensor(stored.entry("test.image_to_text.queries")).integers == positions.map(Int64.init))
    #expect(split["zero_shot"]?["pictures"]?.intValue == count)
    let losses = try list(split["probabilities"]).compactMap { $0["loss"]?.doubleValue }
    #expect(losses.count == 4 && losses.allSatisfy { $0 > 0 })
  }

  @Test func `the report shows free pictures only, says what temperatures cannot do, and loads nothing`() throws {
    let (embeddings, pairs) = (try synthetic.study(), try synthetic.pairs())
    let artifact = try RetrieveStage.run(try synthetic.request(embeddings, pairs: pairs))
    let page = try text(artifact.file(RetrievalReport.name))
    #expect(page.contains("data:image/png;base64,"))
    #expect(page.contains("not shown for its licence"))
    #expect(page.contains("No temperature of a query") && page.contains("every recall and top-k accuracy"))
    #expect(page.contains("CC0-1.0") && page.contains("proprietary") && page.contains("Invented"))
    #expect(page.contains("the &lt;") && !page.contains("the <6"))
    for word in ["http:", "https:", "<script", "url("] { #expect(!page.contains(word), "\(word)") }
    let shown = page.components(separatedBy: "data:image/png").count
    let all = try RetrieveStage.run(
      try synthetic.request(embeddings, pairs: pairs, settings: ["report.pictures=all"], output: "all"))
    #expect(try text(all.file(RetrievalReport.name)).components(separatedBy: "data:image/png").count > shown)
    let none = try RetrieveStage.run(
      try synthetic.request(embeddings, pairs: pairs, settings: ["report.pictures=none"], output: "none"))
    #expect(!(try text(none.file(RetrievalReport.name)).contains("data:image/png")))
  }

  @Test func `tests that the pairs were to hold and lack are named`() throws {
    let pairs = try synthetic.pairs(["test": 0.1, "held_out": [["style": ["a"]], ["sketches": ["b"]]]])
    let artifact = try RetrieveStage.run(try synthetic.request(try synthetic.study(), pairs: pairs))
    #expect(try metrics(artifact)["missing_tests"] == ["sketches"])
    let page = try text(artifact.file(RetrievalReport.name))
    #expect(page.contains("Not measured, because the pairs hold no picture for it: sketches."))
    #expect(page.contains("because the licence does not allow more"))
  }

  @Test func `every element of the page that opens also closes`() throws {
    let artifact = try RetrieveStage.run(
      try synthetic.request(try synthetic.study(), pairs: try synthetic.pairs()))
    var open: [String] = []
    for match in try text(artifact.file(RetrievalReport.name)).matches(of: /<(\/?)([a-z0-9]+)[^>]*>/) {
      let name = String(match.2)
      if ["meta", "br", "img"].contains(name) || match.0.hasSuffix("/>") { continue }
      if match.1.isEmpty { open.append(name) } else { #expect(open.popLast() == name) }
    }
    #expect(open.isEmpty)
  }

  @Test func `every member of the metrics file is documented`() throws {
    let documentation = try text(checkout("Sources/Storage/Artifacts/FORMAT.md"))
    func check(_ json: JSON) {
      for (name, value) in json.objectValue ?? [:] {
        #expect(documentation.contains("`\(name)`"), "FORMAT.md does not mention \(name)")
        // These two hold what is documented elsewhere.
        if name != "facts" && name != "configuration" { check(value) }
      }
      for element in json.arrayValue ?? [] { check(element) }
    }
    let artifact = try RetrieveStage.run(try synthetic.request(try synthetic.study(), pairs: try synthetic.pairs()))
    check(try metrics(artifact))
    check(artifact.summary)
  }

  @Test func `equal inputs give equal bytes`() throws {
    let embeddings = try [1, 2].map { try synthetic.embeddings("clip", seed: $0, noise: 1) }
    let first = try RetrieveStage.run(try synthetic.request(embeddings, output: "first"))
    let second = try RetrieveStage.run(try synthetic.request(embeddings, output: "second"))
    #expect(try contents(first.path) == contents(second.path))
  }

  @Test func `the summary is read as it was written`() throws {
    let artifact = try RetrieveStage.run(try synthetic.request(try synthetic.study()))
    let summary = RetrievalSummary(artifact.summary)
    #expect(summary.leading == "sogclr" && summary.reference == "clip temperature=0.05" && summary.runs == 12)
    #expect(summary.splits.map(\.name) == ["test", "style"] && summary.splits.allSatisfy { $0.verdict == "better" })
    #expect(try #require(summary.headline).contains("better in each of 3 seeds"))
    #expect(summary.json == artifact.summary)
  }

  @Test func `a TempNet changes probabilities of its side of its model, and no recall`() throws {
    let embeddings = [
      try synthetic.embeddings("clip", seed: 1, noise: 1, scale: LogitScale(20, from: .fixed)),
      try synthetic.embeddings("clip", seed: 2, noise: 1, scale: LogitScale(21, from: .fixed)),
    ]
    let without = try metrics(try RetrieveStage.run(try synthetic.request(embeddings, output: "without")))
    let with = try metrics(
      try RetrieveStage.run(
        try synthetic.request(embeddings, tempnets: [try synthetic.tempnet(scale: 21)], output: "with")))
    for (run, count) in [(0, 4), (1, 5)] {
      let split = try list(try list(with["runs"])[run]["splits"])[1]
      #expect(try list(split["probabilities"]).count == count)
      let plain = try list(try list(without["runs"])[run]["splits"])[1]
      #expect(split["image_to_text"] == plain["image_to_text"] && split["mean_recall"] == plain["mean_recall"])
    }
    let studies = try list(with["temperatures"]) { $0["policy"] == "tempnet" }
    #expect(studies.count == 2 && studies.allSatisfy { $0["direction"] == "image_to_text" })
    let quantiles = try list(studies[0]["temperature"]?["quantiles"]).compactMap { $0["value"]?.doubleValue }
    #expect(quantiles.allSatisfy { (0.02...0.3).contains($0) })
  }

  @Test func `a TempNet that names its embeddings belongs to them, whatever the scales`() throws {
    let embeddings = try [1, 2].map { try synthetic.embeddings("clip", seed: $0, noise: 1) }
    let tempnet = try synthetic.tempnet(scale: 20, embeddings: embeddings[1])
    let file = try metrics(try RetrieveStage.run(try synthetic.request(embeddings, tempnets: [tempnet])))
    let counts = try list(file["runs"]).map { run in try list(try list(run["splits"])[1]["probabilities"]).count }
    #expect(counts == [4, 5])
  }

  @Test func `a TempNet of no model among the embeddings, of several or of another width is refused`() throws {
    let embeddings = try [1, 2].map { try synthetic.embeddings("clip", seed: $0, noise: 1) }
    for (tempnet, word) in [
      (try synthetic.tempnet(scale: 19), "none of the embeddings"), (try synthetic.tempnet(scale: 20), "may belong to"),
    ] {
      let failure = #expect(throws: Failure.self) {
        try RetrieveStage.run(try synthetic.request(embeddings, tempnets: [tempnet]))
      }
      #expect(failure?.status == .badData && failure?.description.contains(word) == true)
    }
    let wide = try synthetic.tempnet(scale: 20, width: 5)
    let failure = #expect(throws: Failure.self) {
      try RetrieveStage.run(try synthetic.request([embeddings[0]], tempnets: [wide]))
    }
    #expect(failure?.description.contains("width 5") == true)
  }

  @Test func `embeddings of other pairs are refused`() throws {
    var other = synthetic.table
    other.captions[3].text = "something else"
    let paths = [
      try synthetic.embeddings("clip", seed: 1, noise: 1),
      try synthetic.embeddings("clip", seed: 2, noise: 1, table: other),
    ]
    let failure = #expect(throws: Failure.self) { try RetrieveStage.run(try synthetic.request(paths)) }
    #expect(failure?.status == .badData && failure?.description.contains("captions.jsonl") == true)
  }

  @Test func `two embeddings of one loss, setting and seed are refused`() throws {
    let paths = [
      try synthetic.embeddings("clip", seed: 1, noise: 1), try synthetic.embeddings("clip", seed: 1, noise: 0.9),
    ]
    let failure = #expect(throws: Failure.self) { try RetrieveStage.run(try synthetic.request(paths)) }
    #expect(failure?.status == .badData && failure?.description.contains("clip, seed 1") == true)
  }

  @Test func `a request to stop is heeded`() throws {
    let request = try synthetic.request([try synthetic.embeddings("clip", seed: 1, noise: 1)])
    let failure = #expect(throws: Failure.self) { try RetrieveStage.run(request) { true } }
    #expect(failure?.status == .tryAgain)
    _ = try RetrieveStage.run(request)
  }

  @Test func `runs are named by their loss and by what differs within it`() {
    func run(_ loss: String, _ settings: [(String, JSON)], _ origin: LogitScale.Origin) -> (JSON?, LogitScale) {
      (.object(JSONObject([("loss", .string(loss))] + settings)), LogitScale(20, from: origin))
    }
    let names = RunName.all([
      run("clip", [("seed", 1), ("temperature", 0.05), ("optimiser", ["rate": 0.1])], .fixed),
      run("clip", [("seed", 2), ("temperature", 0.1), ("optimiser", ["rate": 0.1])], .fixed),
      run("clip", [("seed", 1), ("temperature", "learned")], .learned),
      run("tempnet", [("seed", 1), ("optimiser", ["rate": 0.1])], .validation),
      run("tempnet", [("seed", 1), ("optimiser", ["rate": 0.2])], .validation),
      (nil, LogitScale(1, from: .given)),
      run("clip_learned", [("seed", 3)], .learned), run("fastclip", [("seed", 3)], .learned),
    ])
    #expect(
      names.map(\.arm) == [
        "clip temperature=0.05", "clip temperature=0.1", "clip learned", "tempnet optimiser.rate=0.1",
        "tempnet optimiser.rate=0.2", "embeddings 6", "clip_learned", "fastclip",
      ])
    #expect(names.map(\.seed) == [1, 2, 1, 1, 1, nil, 3, 3])
    #expect(names.map(\.singleTemperature) == [.fixed, .fixed, .learned, nil, nil, nil, .learned, nil])
  }
}
