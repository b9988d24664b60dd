/// Windows over a sequence in which each token counts once, with as much context as its window gives. Input i is token i.
/// The first window counts all of its tokens, each later one those beyond the window before it. Where not all are wanted,
/// evenly spread windows are taken.
public struct SlidingWindows<Sequence: TokenSequence> {
  public let sequence: Sequence
  /// Tokens per window.
  public let length: Int
  private let stride: Int
  /// Windows by their index among all that cover the sequence.
  private let chosen: [Int]

  public var count: Int { chosen.count }

  /// - Parameter limit: how many tokens are wanted, at least; whole windows are taken.
  public init(_ sequence: Sequence, length: Int, stride: Int, limit: Int) {
    precondition(stride > 0 && stride <= length && limit > 0)
    self.sequence = sequence
    self.length = length
    self.stride = stride
    // The last token of the sequence has no label.
    let positions = max(0, sequence.count - 1)
    let beyondFirst = max(0, positions - length)
    let all = positions == 0 ? 0 : 1 + (beyondFirst + stride - 1) / stride
    let wanted = min(all, (limit - 1) / stride + 1)
    chosen = (0..<wanted).map { $0 * all / wanted }
  }

  /// The first token of a window.
  public func start(_ index: Int) -> Int { chosen[index] * stride }

  /// The places within a window whose tokens count; some may lie behind the end of the sequence.
  public func counted(_ index: Int) -> Range<Int> { (chosen[index] == 0 ? 0 : length - stride)..<length }

  /// How many of a window's tokens count and have a label that belongs to the same document.
  public func rows(_ index: Int) -> Int {
    let (start, places) = (start(index), counted(index))
    // Labels lie one place further on.
    let labels = start + places.lowerBound + 1..<min(start + places.upperBound + 1, sequence.count)
    return labels.count - sequence.documentStarts(in: labels).count
  }

  /// Windows side by side.
  public func batch(_ range: Range<Int>) throws -> WindowBatch {
    try WindowBatch(sequence, starts: range.map(start), context: length)
  }

  /// The places of a batch that count and have a label, counted across its windows.
  public func rowPlaces(_ batch: WindowBatch, of range: Range<Int>) -> [Int] {
    range.enumerated().flatMap { row, index in
      counted(index).map { row * length + $0 }.filter { batch.labels[$0] != WindowBatch.masked }
    }
  }
}
