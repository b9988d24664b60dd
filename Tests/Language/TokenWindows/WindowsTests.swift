import Diagnostics
import Testing
import TokenWindows

@Suite struct WindowsTests {
  private let tokens = TokenArray((0..<103).map(Int32.init))

  @Test func `an epoch reads windows that do not overlap, each once`() throws {
    let windows = try TrainingWindows(tokens, context: 10, windowsPerStep: 3, seed: 5)
    let starts = (0..<6).flatMap { windows.starts(step: $0) }
    for epoch in [starts[0..<9], starts[9..<18]] {
      let sorted = epoch.sorted()
      #expect(zip(sorted, sorted.dropFirst()).allSatisfy { $1 - $0 == 10 })
      #expect((0..<10).contains(sorted[0]) && sorted[8] + 10 < tokens.count)
    }
    #expect(Array(starts[0..<9]) != Array(starts[9..<18]))
  }

  @Test func `a step's windows depend on seed and step alone, not on how they are cut into batches`() throws {
    func windows(_ count: Int, seed: Int) throws -> TrainingWindows<TokenArray> {
      try TrainingWindows(tokens, context: 10, windowsPerStep: count, seed: seed)
    }
    let starts = try windows(4, seed: 5).starts(step: 7)
    #expect(try windows(4, seed: 5).starts(step: 7) == starts)
    #expect(try windows(4, seed: 6).starts(step: 7) != starts)
    let whole = try windows(4, seed: 5).batches(step: 7, rows: 4)
    let parts = try windows(4, seed: 5).batches(step: 7, rows: 3)
    #expect(parts.map(\.rows) == [3, 1])
    #expect(parts.flatMap(\.inputs) == whole.flatMap(\.inputs))
    #expect(try windows(4, seed: 5).starts(step: 6) + starts == windows(8, seed: 5).starts(step: 3))
  }

  @Test func `labels are the tokens that follow`() throws {
    let batch = try WindowBatch(tokens, starts: [20], context: 3)
    #expect(batch.inputs == [20, 21, 22] && batch.labels == [21, 22, 23])
    #expect(batch.documentStarts == nil && batch.countedLabels == 3)
  }

  @Test func `the first token of a document is no label, and each position knows where its document begins`() throws {
    let tokens = TokenArray((0..<20).map(Int32.init), documentStarts: [0, 6, 8, 15])
    let batch = try WindowBatch(tokens, starts: [3, 10], context: 5)
    #expect(batch.inputs == [3, 4, 5, 6, 7, 10, 11, 12, 13, 14])
    let masked = WindowBatch.masked
    #expect(batch.labels == [4, 5, masked, 7, masked, 11, 12, 13, 14, masked])
    #expect(batch.documentStarts == [0, 0, 0, 3, 3, 0, 0, 0, 0, 0])
    #expect(batch.countedLabels == 7)
  }

  @Test(arguments: [2, 20, 21, 22, 39])
  func `covering windows predict every token that has a predecessor once`(count: Int) throws {
    let tokens = TokenArray((0..<count).map(Int32.init), documentStarts: [0, count / 2])
    let windows = try CoveringWindows(tokens, context: 10)
    let batches = try windows.ranges(rows: 2).map { try windows.batch($0) }
    let labels = batches.flatMap(\.labels).filter { $0 != WindowBatch.masked }
    #expect(labels == (1..<count).filter { $0 != count / 2 }.map(Int64.init))
    #expect(batches.allSatisfy { $0.inputs.count == $0.rows * 10 && $0.labels.count == $0.rows * 10 })
  }

  @Test func `a sequence shorter than a window is refused with its length`() {
    #expect {
      try TrainingWindows(TokenArray([1, 2, 3]), context: 3, windowsPerStep: 1, seed: 0)
    } throws: { error in
      (error as? Failure)?.status == .badData && "\(error)".contains("3 tokens")
    }
    #expect(throws: Failure.self) { try CoveringWindows(TokenArray([1]), context: 3) }
  }
}
