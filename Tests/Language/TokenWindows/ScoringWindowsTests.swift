import Testing
import TokenWindows

@Suite struct ScoringWindowsTests {
  @Test func `every token is predicted once, in order, with as much before it as fits`() {
    for context in 1...6 {
      for stride in 1...context {
        for tokens in 1...(3 * context + 1) {
          let windows = ScoringWindows(tokens: tokens, context: context, stride: stride)
          let all = (0..<windows.count).map { windows[$0] }
          #expect(all.flatMap { Array($0.scored) } == Array(0..<tokens))
          for (index, window) in all.enumerated() {
            #expect(window.inputs.upperBound == window.scored.upperBound)
            #expect(window.inputs.count == min(context, tokens))
            #expect(index == 0 || window.scored.count <= stride)
          }
        }
      }
    }
  }

  @Test func `a stride of the whole context leaves full windows one token of context`() {
    let windows = ScoringWindows(tokens: 10, context: 4, stride: 4)
    #expect((0..<3).map { windows[$0].inputs } == [0..<4, 4..<8, 6..<10])
    #expect((0..<3).map { windows[$0].scored } == [0..<4, 4..<8, 8..<10])
  }

  @Test func `a sample of windows lies evenly and is never more than all`() {
    let windows = ScoringWindows(tokens: 1000, context: 10, stride: 10)
    #expect(windows.sample(tokens: 45) == [0, 20, 40, 60, 80])
    #expect(windows.sample(tokens: 1) == [0])
    #expect(windows.sample(tokens: 5000) == Array(0..<100))
  }

  @Test func `inputs are the tokens before, and each document begins at its first token`() throws {
    let firsts = [0, 9, 10, 31, 44]
    let sequence = TokenArray((0..<60).map { Int32(($0 * $0 + 3) % 11) }, documentStarts: firsts)
    let endOfText: Int32 = 50
    let tokens = sequence.tokens(in: 0..<sequence.count).map(Int64.init)
    let stream = [Int64(endOfText)] + tokens
    let windows = ScoringWindows(tokens: sequence.count, context: 16, stride: 5)
    for index in 0..<windows.count {
      let window = windows[index]
      let batch = try ShiftedWindowBatch(sequence, [window], endOfText: endOfText)
      #expect(batch.inputs == Array(stream[window.inputs]))
      #expect(batch.labels == Array(tokens[window.scored]))
      #expect(batch.countedPlaces == window.scored.map { $0 - window.inputs.lowerBound })
      let expected = window.inputs.map { input -> Int64 in
        // Input i holds token i - 1. An end-of-text id before a first token stands alone.
        let isPrefix = firsts.contains(input)
        let begin = firsts.last { $0 < input }.map { $0 + 1 } ?? 0
        return Int64(max(0, (isPrefix ? input : begin) - window.inputs.lowerBound))
      }
      #expect(batch.documentStarts == expected)
    }
  }
}
