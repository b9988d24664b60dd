import Testing

@testable import LanguageEvaluation

@Suite struct ScoringPlanTests {
  /// Sequences over few ids, so that many have beginnings in common.
  private static func sequences(_ count: Int, seed: UInt64) -> [ScoredSequence] {
    var numbers = Numbers(state: seed)
    let prompt = (0..<40).map { _ in Int32(numbers.next(below: 3)) }
    return (0..<count).map { _ in
      let shared = prompt.prefix(numbers.next(below: 41))
      let own = (0..<numbers.next(below: 20) + 1).map { _ in Int32(numbers.next(below: 3)) }
      return ScoredSequence(EncodedPair(context: shared + [7], continuation: own), length: 100)!
    }
  }

  @Test(arguments: 1...8 as ClosedRange<UInt64>)
  func `each sequence stands in one row, and sees itself alone`(seed: UInt64) {
    let sequences = Self.sequences(60, seed: seed)
    for plan in [
      ScoringPlan(sharing: sequences, batchTokens: 256), ScoringPlan(alone: sequences),
    ] {
      var seen: [Int] = []
      for row in plan.batches.flatMap({ $0 }) {
        let ends = row.tree.ends
        for member in row.members {
          let path = row.tree.paths[member.path]
          #expect(path.map { row.tree.tokens[$0] } == sequences[member.sequence].inputs)
          #expect(path.map { row.tree.positions[$0] } == Array(path.indices))
          for (index, token) in path.enumerated() {
            let visible = row.tree.tokens.indices.filter { $0 <= token && token < ends[$0] }
            #expect(visible == Array(path[...index]))
          }
          seen.append(member.sequence)
        }
      }
      #expect(seen.sorted() == Array(sequences.indices))
    }
  }

  @Test func `equal inputs are read once, and common prompts too`() {
    let prompt = (0..<200).map { Int32($0) }
    let sequences = (0..<8).map { choice in
      ScoredSequence(EncodedPair(context: prompt, continuation: [Int32(choice / 2 + 300), 5, 6]), length: 1000)!
    }
    let plan = ScoringPlan(sharing: sequences, batchTokens: 1)
    #expect(plan.batches.count == 1)
    #expect(plan.batches[0][0].tree.tokens.count == 200 + 4 * 2)
    let oneToken = (0..<9).map {
      ScoredSequence(EncodedPair(context: prompt, continuation: [Int32($0)]), length: 1000)!
    }
    #expect(ScoringPlan(sharing: oneToken, batchTokens: 1).batches[0][0].tree.tokens == prompt)
    #expect(ScoringPlan(sharing: oneToken, batchTokens: 1).batches.count == 1)
  }

  @Test func `sequences without enough in common, or too long together, keep rows of their own`() {
    let apart = (0..<6).map { first in
      ScoredSequence(
        EncodedPair(context: [1, 2] + (0..<100).map { Int32($0 * first) }, continuation: [3]), length: 1000)!
    }
    #expect(ScoringPlan(sharing: apart, batchTokens: 1).batches.count == 6)
    let prompt = (0..<ScoringPlan.longestSharedRow - 50).map { Int32($0) }
    let long = (0..<4).map { choice in
      ScoredSequence(
        EncodedPair(context: prompt, continuation: (0..<31).map { Int32($0 + choice * 100) }), length: 10_000)!
    }
    let rows = ScoringPlan(sharing: long, batchTokens: 1).batches.flatMap { $0 }
    #expect(rows.allSatisfy { $0.tree.tokens.count <= ScoringPlan.longestSharedRow } && rows.count > 1)
  }

  @Test func `a long prompt is read once for all that continues it`() {
    let prompt = (0..<1200).map { Int32($0) }
    let choices = (0..<4).map { choice in
      ScoredSequence(EncodedPair(context: prompt, continuation: [Int32(choice), 7]), length: 2000)!
    }
    let rows = ScoringPlan(sharing: choices, batchTokens: 1).batches.flatMap { $0 }
    #expect(rows.map(\.tree.tokens.count) == [1204])
  }

  @Test func `what is longer than a model reads without stretching keeps a batch of its own`() {
    let prompt = (0..<100).map { Int32($0) }
    let sequences = (0..<12).map { index in
      ScoredSequence(
        EncodedPair(context: Array(prompt.prefix(95 + index % 4)), continuation: [200, Int32(index)]), length: 1000)!
    }
    let plan = ScoringPlan(sharing: sequences, batchTokens: 4096, constantLength: 97)
    let long = sequences.indices.filter { sequences[$0].inputs.count > 97 }
    #expect(long.count == 6)
    let alone = plan.batches.filter { $0.count == 1 && $0[0].members.count == 1 }.map { $0[0].members[0].sequence }
    #expect(Set(alone) == Set(long))
    #expect(plan.batches.flatMap { $0 }.flatMap(\.members).map(\.sequence).sorted() == Array(sequences.indices))
  }

  @Test func `batches are filled from the longest row on, never beyond what was asked for`() {
    let plan = ScoringPlan(sharing: Self.sequences(200, seed: 9), batchTokens: 300)
    let lengths = plan.batches.map { $0.map(\.tree.tokens.count) }
    #expect(lengths.flatMap { $0 } == lengths.flatMap { $0 }.sorted(by: >))
    #expect(lengths.allSatisfy { $0.count == 1 || $0.count * $0[0] <= 300 })
    #expect(lengths.count < 200)
  }
}
