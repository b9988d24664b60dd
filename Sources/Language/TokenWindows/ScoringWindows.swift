/// Windows in which every token of a text is predicted once, with as much text before it as the model can see.
///
/// The model reads the end-of-text id and then the tokens; input i stands before token i and predicts it. The first window
/// predicts a whole context of tokens; each further one predicts the next `stride` and reads the context that ends
/// there. With a stride of the whole context these are the rolling windows of lm-evaluation-harness.
public struct ScoringWindows: Sendable {
  /// The inputs that one window reads, and the tokens that it predicts: always its last ones.
  public struct Window: Equatable, Sendable {
    public let inputs: Range<Int>
    public let scored: Range<Int>
  }

  public let tokens: Int
  public let context: Int
  public let stride: Int

  /// - Parameters:
  ///   - context: how many tokens the model reads at once.
  ///   - stride: at most `context`.
  public init(tokens: Int, context: Int, stride: Int) {
    precondition(tokens > 0 && (1...context).contains(stride), "\(tokens) tokens in windows of \(context), \(stride)")
    self.tokens = tokens
    self.context = min(context, tokens)
    self.stride = min(stride, self.context)
  }

  public var count: Int { 1 + (tokens - context + stride - 1) / stride }

  public subscript(index: Int) -> Window {
    guard index > 0 else { return Window(inputs: 0..<context, scored: 0..<context) }
    let start = context + (index - 1) * stride
    let end = min(start + stride, tokens)
    return Window(inputs: end - context..<end, scored: start..<end)
  }

  /// Indices of windows that lie evenly over the split and predict about as many tokens as asked for, or all.
  public func sample(tokens wanted: Int) -> [Int] {
    let needed = min(count, max(1, (wanted - 1) / stride + 1))
    return (0..<needed).map { $0 * count / needed }
  }
}
