import Artifacts
import Configuration
import Diagnostics
import Files
import JSON
import StageDescriptions
import TestSupport
import Testing

@testable import Pipelines

@Suite struct StoreReportTests {
  private static let summary: JSON = [
    "tokens": 1234, "leading": "tempnet",
    "policies": [
      ["name": "one", "robustLoss": 0.5, "bitsPerByte": 1.25, "brier": 0.75, "meanTemperature": 1.0],
      ["name": "tempnet", "robustLoss": 0.25, "bitsPerByte": 1.5, "gapClosed": 0.875, "meanTemperature": 0.9],
    ],
  ]

  /// A store in which a pipeline ran twice, the second time with other settings, and the evaluation has something to say.
  private func benchAfterTwoRuns() async throws -> Bench {
    let bench = try Bench()
    for settings in [[], ["a.rho=7"]] {
      let plan = try bench.plan(set: settings)
      try await bench.run(plan, executor: RecordingExecutor(plan) { try $1.publish($0, summary: Self.summary) })
    }
    return bench
  }

  @Test func `a record is read back as it was written`() async throws {
    let bench = try await benchAfterTwoRuns()
    let runs = try bench.store.runs()
    #expect(runs.count == 2 && runs.allSatisfy { $0.pipeline == "sample" && $0.outcome == .done })
    let first = try #require(runs.last)
    let plan = try bench.plan()
    #expect(first.stages.map(\.name) == plan.stages.map(\.name) && first.stages.map(\.key) == plan.stages.map(\.key))
    let text = try #require(first.stages.first { $0.name == "text" })
    #expect(text.artifact == Files.name(of: plan["text"]!.output) && text.seconds == 1 && text.attempts == 1)
    #expect(text.started == 1_800_000_002 && first.ended! > first.started)
  }

  @Test func `a record is equal after it was read, and written again`() async throws {
    let bench = try await benchAfterTwoRuns()
    // The times of this clock are whole seconds, as those in the file are. A member that is not read back breaks this.
    let record = try bench.store.runs()[0]
    let written = try text("\(record.path)/run.json")
    #expect(record.json.pretty == written)
    #expect(record.stages.map(\.state).contains(.upToDate) && record.stages.map(\.state).contains(.made))
    try AtomicFile.write(written.replacing("\"made\"", with: "\"baked\""), to: "\(record.path)/run.json")
    let failure = #expect(throws: Failure.self) { _ = try RunRecord(of: record.path) }
    #expect(failure?.status == .badData)
  }

  @Test func `times are read as they are written, and nothing else is taken for one`() {
    for time in [0.0, 951_782_400, 1_800_000_000, 4_102_444_799] {
      #expect(calendarSeconds(calendarTime(time)) == time)
    }
    for text in ["", "yesterday", "2027-01-15", "2027-01-15T08:00:00Z more"] { #expect(calendarSeconds(text) == nil) }
  }

  @Test func `the page shows every run with times, reasons, results and links that lead somewhere`() async throws {
    let bench = try await benchAfterTwoRuns()
    let path = try StoreReport(bench.store).write()
    #expect(path == "\(bench.store.path)/index.html")
    let page = try text(path)
    #expect(page.contains("<p class=\"lead\">2 runs of one pipeline"))
    #expect(page.contains("configuration.rho was 6, is 7") && page.contains("<td>up to date</td>"))
    // The policy that the evaluation is about, with temperature 1 below it.
    #expect(page.contains("<td>tempnet<small>one</small></td><td class=\"number\">87.5 %</td>"))
    #expect(page.contains("<td class=\"number\">0.2500<small>0.5000</small></td>"))
    var links = 0
    for match in page.matches(of: /href="([^"#]+)"/) {
      #expect(Files.exists("\(bench.store.path)/\(match.1)"), "\(match.1)")
      links += 1
    }
    #expect(links > 10)
    for match in page.matches(of: /href="#([^"]+)"/) { #expect(page.contains("id=\"\(match.1)\"")) }
    #expect(page.contains(/href="artifacts\/describe-[0-9a-f]{16}\/result.html"/))
    #expect(try StoreReport(bench.store).text == page)
  }

  /// A stage that finds pictures.
  private enum Search: StageDescription {
    static let name = "search"
    static let summary = "Searches."
    static let version = 1
    static let output = ArtifactKind.retrieval
    static let inputs: [StageInput] = []
    typealias Configuration = Samples.Describe.Configuration
  }

  @Test func `retrieval results have a line for each test split, the reference's figures below`() async throws {
    let bench = try Bench()
    let specification = try PipelineSpecification(
      try YAMLSource.parse("stages: {found: {run: search}}", source: "sample.yaml"), overrides: [],
      known: [Search.self])
    let plan = try Workspace(pipeline: specification, store: bench.store).plan(Selection())
    let summary: JSON = [
      "leading": "sogclr", "reference": "clip", "runs": 27,
      "splits": [
        [
          "name": "style", "pictures": 1421, "captions": 1421, "meanRecall": 0.289, "referenceRecall": 0.258,
          "difference": 0.031, "verdict": "better",
        ],
        ["name": "test", "pictures": 526, "captions": 458],
      ],
    ]
    try await bench.run(plan, executor: RecordingExecutor(plan) { try $1.publish($0, summary: summary) })
    let page = try StoreReport(bench.store).text
    #expect(page.contains("<td>sogclr<small>clip</small></td><td class=\"number\">28.9 %<small>25.8 %</small></td>"))
    #expect(page.contains("3.1 points") && page.contains("<td>better</td>") && page.contains("<td>test</td>"))
    #expect(!page.contains("Results side by side"))
  }

  @Test func `runs that were killed or failed, and results that are gone, are shown as that`() async throws {
    let bench = try await benchAfterTwoRuns()
    let plan = try bench.plan(set: ["a.rho=8"])
    let executor = RecordingExecutor(plan) { _, _ in .exited(65) }
    await #expect(throws: Failure.self) { try await bench.run(plan, executor: executor) }
    #expect(try bench.store.runs()[0].outcome == .failed)
    // The record of a runner that was killed while a stage ran.
    let killed = try bench.store.runs()[1].path
    let record = try text("\(killed)/run.json").replacing(/"ended": "[^"]*"/, with: "\"ended\": null")
    try AtomicFile.write(record, to: "\(killed)/run.json")
    #expect(try bench.store.runs()[1].outcome == .notEnded)
    try Files.remove(bench.store.artifacts)
    let page = try StoreReport(bench.store).text
    #expect(page.contains("it was killed, or still works") && page.contains("<td>not there</td>"))
    #expect(!page.contains("href=\"artifacts"))
  }

  @Test func `a damaged record is left out, and whatever comes from one is escaped`() async throws {
    let bench = try await benchAfterTwoRuns()
    let runs = try bench.store.runs()
    try AtomicFile.write("{\"pipeline\": 7}", to: "\(runs[0].path)/run.json")
    let record = try text("\(runs[1].path)/run.json").replacing("no artifact yet", with: "<script>'1'</script>")
    try AtomicFile.write(record, to: "\(runs[1].path)/run.json")
    let page = try StoreReport(bench.store).text
    #expect(page.contains("One run of one pipeline") && page.contains("&lt;script&gt;&#39;1&#39;"))
    #expect(!page.contains("<script"))
  }

  @Test func `a store without runs has a page, and what is no store has none`() throws {
    let folder = try TemporaryFolder()
    try Files.makeFolder(folder("runs"))
    #expect(try StoreReport(Store(folder.path)).text.contains("0 runs of 0 pipelines"))
    let failure = #expect(throws: Failure.self) { _ = try StoreReport(Store(folder("absent"))) }
    #expect(failure?.status == .missingInput)
  }
}
