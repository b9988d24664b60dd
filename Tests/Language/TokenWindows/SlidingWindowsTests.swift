import Testing
import TokenWindows

@Suite struct SlidingWindowsTests {
  private static let shapes = [(8, 8), (8, 3), (8, 1), (5, 4), (64, 16)]

  /// Places in the sequence that count, in the order of windows.
  private func counted(_ windows: SlidingWindows<TokenArray>) -> [Int] {
    (0..<windows.count).flatMap { index in
      windows.counted(index).map { windows.start(index) + $0 }.filter { $0 + 1 < windows.sequence.count }
    }
  }

  private func sequence(_ count: Int, documentStarts: [Int] = [0]) -> TokenArray {
    TokenArray((0..<Int32(count)).map { $0 }, documentStarts: documentStarts)
  }

  @Test(arguments: shapes)
  func `each token with a label counts once, in order`(_ length: Int, _ stride: Int) {
    for count in 0...40 {
      let windows = SlidingWindows(sequence(count), length: length, stride: stride, limit: 1000)
      #expect(counted(windows) == Array(0..<max(0, count - 1)))
    }
  }

  @Test(arguments: shapes)
  func `later tokens have at least the context that windows share`(_ length: Int, _ stride: Int) {
    let windows = SlidingWindows(sequence(100), length: length, stride: stride, limit: 1000)
    for index in 1..<windows.count { #expect(windows.counted(index).lowerBound == length - stride) }
  }

  @Test func `fewer tokens are taken evenly from the whole sequence`() {
    let windows = SlidingWindows(sequence(1001), length: 10, stride: 10, limit: 41)
    #expect((0..<windows.count).map(windows.start) == [0, 200, 400, 600, 800])
  }

  @Test func `tokens before another document give no rows`() throws {
    let windows = SlidingWindows(
      sequence(20, documentStarts: [0, 6, 7, 16]), length: 8, stride: 8, limit: 1000)
    var labels: [Int64] = []
    for index in 0..<windows.count {
      let batch = try windows.batch(index..<index + 1)
      let places = windows.rowPlaces(batch, of: index..<index + 1)
      #expect(places.count == windows.rows(index))
      labels += places.map { batch.labels[$0] }
    }
    #expect(labels == (1..<20).filter { ![6, 7, 16].contains($0) })
  }
}
