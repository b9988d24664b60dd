import TokenWindows
import Tokenization
import Torch

/// How a split is cut so that every token is predicted once, with as much text before it as the model can see.
///
/// The model reads the end-of-text id and then the tokens of the split; input i stands before token i. The first window
/// predicts a whole context of tokens; each further one predicts the next `stride` and reads the context that ends
/// there. With a stride of the whole context these are the rolling windows of lm-evaluation-harness.
struct ScoringWindows {
  /// What one window reads, and which tokens it predicts: always its last ones.
  struct Window: Equatable {
    let inputs: Range<Int>
    let scored: Range<Int>
  }

  let tokens: Int
  let context: Int
  let stride: Int

  /// - Parameters:
  ///   - context: how many tokens the model reads at once.
  ///   - stride: at most `context`.
  init(tokens: Int, context: Int, stride: Int) {
    precondition(tokens > 0 && (1...context).contains(stride), "\(tokens) tokens in windows of \(context), \(stride)")
    self.tokens = tokens
    self.context = min(context, tokens)
    self.stride = min(stride, self.context)
  }

  var count: Int { 1 + (tokens - context + stride - 1) / stride }

  subscript(index: Int) -> Window {
    guard index > 0 else { return Window(inputs: 0..<context, scored: 0..<context) }
    let start = context + (index - 1) * stride
    let end = min(start + stride, tokens)
    return Window(inputs: end - context..<end, scored: start..<end)
  }

  /// Indices of windows that lie evenly over the split and predict about as many tokens as asked for, or all.
  func sample(tokens wanted: Int) -> [Int] {
    let needed = min(count, max(1, (wanted - 1) / stride + 1))
    return (0..<needed).map { $0 * count / needed }
  }
}

/// Windows side by side, as the model takes them.
struct ScoringBatch {
  /// int64 [windows, context].
  let inputs: Tensor
  /// int64 [windows, context]: for each input where in its window its document begins.
  let documentStarts: Tensor
  /// Rows of the flattened hidden states that predict the scored tokens, int64 [N].
  let rows: Tensor
  /// The scored tokens, int64 [N].
  let labels: Tensor

  init(_ windows: [ScoringWindows.Window], of split: TokenSplit, endOfText: Int32, device: Device) throws {
    var inputs: [Int64] = []
    var starts: [Int64] = []
    var rows: [Int64] = []
    var labels: [Int64] = []
    for (index, window) in windows.enumerated() {
      let length = window.inputs.count
      inputs += try Self.inputs(window, split, endOfText)
      starts += Self.documentStarts(window, split)
      rows += window.scored.map { Int64(index * length + $0 - window.inputs.lowerBound) }
      labels += try split.tokens(in: window.scored).map(Int64.init)
    }
    let shape = [windows.count, windows[0].inputs.count]
    self.inputs = Tensor(inputs, shape: shape).to(device)
    documentStarts = Tensor(starts, shape: shape).to(device)
    self.rows = Tensor(rows).to(device)
    self.labels = Tensor(labels).to(device)
  }

  private static func inputs(
    _ window: ScoringWindows.Window, _ split: TokenSplit, _ endOfText: Int32
  ) throws -> [Int64] {
    let before = max(0, window.inputs.lowerBound - 1)..<window.inputs.upperBound - 1
    let tokens = try split.tokens(in: before).map(Int64.init)
    return window.inputs.lowerBound == 0 ? [Int64(endOfText)] + tokens : tokens
  }

  /// As in training a document begins with its first token. The end-of-text id before it, which nothing was trained on,
  /// predicts that token without a look at the document before.
  private static func documentStarts(_ window: ScoringWindows.Window, _ split: TokenSplit) -> [Int64] {
    let first = window.inputs.lowerBound
    var starts = [Int64](repeating: 0, count: window.inputs.count)
    // Input i + 1 holds token i, so a document that begins with token i begins with that input.
    for token in split.documentStarts(in: window.inputs) {
      starts[token - first] = Int64(token - first)
      for position in (token - first + 1)..<max(starts.count, token - first + 1) {
        starts[position] = Int64(token - first + 1)
      }
    }
    return starts
  }
}
