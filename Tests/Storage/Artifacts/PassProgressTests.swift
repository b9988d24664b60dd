import Artifacts
import Diagnostics
import Files
import TestSupport
import Testing

@Suite struct PassProgressTests {
  private let folder: TemporaryFolder
  private var path: String { folder("pass.json") }

  init() throws { folder = try TemporaryFolder() }

  private func pass(of total: Int = 7, saving interval: PassProgress.Interval = .pieces(3)) throws -> PassProgress {
    try PassProgress(path, of: total, saving: interval)
  }

  @Test func `it saves after so many pieces and at the end, after the results`() throws {
    var events: [String] = []
    try pass().advance(isInterrupted: { false }, synchronise: { events.append("saved") }, { events.append("\($0)") })
    #expect(events == ["0", "1", "2", "saved", "3", "4", "5", "saved", "6", "saved"])
    #expect(try pass().done == 7)
  }

  @Test func `told to stop it saves, and goes on where it was`() throws {
    let stopped = try pass()
    #expect(throws: Interruption.failure) {
      try stopped.advance(isInterrupted: { stopped.done == 2 }, synchronise: {}, { _ in })
    }
    var pieces: [Int] = []
    try pass().advance(to: 4, isInterrupted: { false }, synchronise: {}, { pieces.append($0) })
    #expect(pieces == [2, 3])
    #expect(try pass().done == 4)
  }

  @Test func `pieces after the last saved one are done again`() throws {
    struct Crash: Error {}
    #expect(throws: Crash.self) {
      try pass().advance(isInterrupted: { false }, synchronise: {}, { if $0 == 5 { throw Crash() } })
    }
    #expect(try pass().done == 3)
  }

  @Test func `a pass whose end only shows itself is saved at it, and goes on where it was`() throws {
    var events: [String] = []
    func advance(pieces: Int, stoppingAfter stop: Int? = nil) throws {
      let pass = try PassProgress(path, of: nil, saving: .pieces(2))
      func work(_ piece: Int) -> Bool {
        if piece < pieces { events.append("\(piece)") }
        return piece < pieces
      }
      try pass.advanceToEnd(isInterrupted: { pass.done == stop }, synchronise: { events.append("saved") }, work)
    }
    #expect(throws: Interruption.failure) { try advance(pieces: 5, stoppingAfter: 1) }
    try advance(pieces: 5)
    #expect(events == ["0", "saved", "1", "2", "saved", "3", "4", "saved", "saved"])
    #expect(try PassProgress(path, of: nil, saving: .pieces(2)).done == 5)
  }

  @Test(arguments: ["", "{}", "{\"done\": 8}", "{\"done\": -1}", "{\"done\": 1, \"more\": 2}"])
  func `a file that states no such progress is refused`(content: String) throws {
    try folder.write(content, to: "pass.json")
    let failure = #expect(throws: Failure.self) { try pass() }
    #expect(failure?.status == .badData)
  }
}
