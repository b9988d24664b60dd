import Diagnostics
import Files
import Glibc
import TestSupport
import Testing

@testable import Pipelines

/// The record of a run while it goes on, and after the runner was killed.
@Suite struct RunFolderTests {
  private let bench: Bench
  private let plan: Plan
  private let folder: RunFolder

  init() throws {
    bench = try Bench()
    plan = try bench.plan()
    folder = try RunFolder(in: bench.store, label: "sample", for: plan, at: 1_800_000_000)
  }

  private func change(_ stage: String, _ change: (inout RunRecord.Stage) -> Void) throws {
    try folder.update(try #require(plan[stage]), change)
  }

  private var states: [String: RunRecord.State] {
    get throws {
      let record = try #require(try RunRecord(of: folder.path))
      return Dictionary(uniqueKeysWithValues: record.stages.map { ($0.name, $0.state) })
    }
  }

  private var events: String { "\(folder.path)/events.jsonl" }

  @Test func `what changes is known at once, and run.json is not written anew`() throws {
    let written = try Files.read("\(folder.path)/run.json")
    try change("text") { $0.begin(at: 1_800_000_001) }
    try change("text") { $0.job = JobName("job 7") }
    #expect(try states["text"] == .running)
    try change("text") { $0.end(.made, attempts: 2, at: 1_800_000_003.5) }
    try change("a") { $0.begin(at: 1_800_000_004) }
    #expect(try states == ["text": .made, "a": .running, "b": .waiting, "words": .waiting, "bundle": .waiting])
    let text = try #require(try RunRecord(of: folder.path)?.stages.first { $0.name == "text" })
    #expect(text.job == JobName("job 7") && text.attempts == 2 && text.seconds == 2.5)
    #expect(try Files.read("\(folder.path)/run.json") == written)
  }

  @Test func `at the end run.json has everything`() throws {
    try change("text") { $0.begin(at: 1_800_000_001) }
    let before = try #require(try RunRecord(of: folder.path))
    try folder.close(at: 1_800_000_009)
    let after = try #require(try RunRecord(of: folder.path))
    #expect(!Files.exists(events) && after.stages == before.stages && after.ended == 1_800_000_009)
  }

  @Test func `a change that the disk did not take is written with the stage's next one`() throws {
    #expect(symlink("/dev/full", events) == 0)
    #expect { try change("text") { $0.job = JobName("job 7") } } throws: { ($0 as? Failure)?.status == .inputOutput }
    try Files.remove(events)
    try change("text") { $0.begin(at: 1_800_000_001) }
    let text = try #require(try RunRecord(of: folder.path)?.stages.first { $0.name == "text" })
    #expect(text.state == .running && text.job == JobName("job 7"))
  }

  @Test func `the line that a killed runner was about to write is left out, and a damaged one is refused`() throws {
    try change("text") { $0.begin(at: 1_800_000_001) }
    try change("text") { $0.end(.made, attempts: 1, at: 1_800_000_002) }
    let whole = String(decoding: try Files.read(events), as: UTF8.self)
    for length in stride(from: 0, to: whole.utf8.count, by: 7) {
      try AtomicFile.write(Array(whole.utf8.prefix(length)), to: events)
      #expect(try [.waiting, .running].contains(states["text"]))
    }
    try AtomicFile.write(whole.replacing("\"text\"", with: "\"other\""), to: events)
    #expect { try RunRecord(of: folder.path) } throws: {
      ($0 as? Failure)?.status == .badData && "\($0)".contains("events.jsonl, line 1")
    }
  }
}
