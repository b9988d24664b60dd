/// Windows of tokens side by side in which input i stands before token i and predicts it.
///
/// The input before the first token of all is the end-of-text id, the one before any other token is the token before it.
public struct ShiftedWindowBatch: Sendable {
  public let rows: Int
  public let context: Int
  /// [rows, context]
  public let inputs: [Int64]
  /// [rows, context]: the place in its window at which the document of each input begins.
  public let documentStarts: [Int64]
  /// The places that predict the scored tokens, [N], counted across the windows.
  public let countedPlaces: [Int]
  /// The scored tokens, [N].
  public let labels: [Int64]

  /// - Parameters:
  ///   - windows: at least one, all of them with as many inputs.
  ///   - endOfText: the id that closes documents.
  public init(
    _ sequence: some TokenSequence, _ windows: [ScoringWindows.Window], endOfText: Int32
  ) throws {
    let context = windows[0].inputs.count
    rows = windows.count
    self.context = context
    inputs = try windows.flatMap { try Self.inputs($0, sequence, endOfText) }
    documentStarts = windows.flatMap { Self.documentStarts($0, sequence) }
    countedPlaces = windows.enumerated().flatMap { row, window in
      window.scored.map { row * context + $0 - window.inputs.lowerBound }
    }
    labels = try windows.flatMap { try sequence.tokens(in: $0.scored).map(Int64.init) }
  }

  private static func inputs(
    _ window: ScoringWindows.Window, _ sequence: some TokenSequence, _ endOfText: Int32
  ) throws -> [Int64] {
    let before = max(0, window.inputs.lowerBound - 1)..<window.inputs.upperBound - 1
    let tokens = try sequence.tokens(in: before).map(Int64.init)
    return window.inputs.lowerBound == 0 ? [Int64(endOfText)] + tokens : tokens
  }

  /// As in training a document begins with its first token. The end-of-text id before it, which nothing was trained on,
  /// predicts that token without a look at the document before.
  private static func documentStarts(_ window: ScoringWindows.Window, _ sequence: some TokenSequence) -> [Int64] {
    let first = window.inputs.lowerBound
    var starts = [Int64](repeating: 0, count: window.inputs.count)
    // Input i + 1 holds token i, so a document that begins with token i begins with that input.
    for token in sequence.documentStarts(in: window.inputs) {
      starts[token - first] = Int64(token - first)
      for position in (token - first + 1)..<max(starts.count, token - first + 1) {
        starts[position] = Int64(token - first + 1)
      }
    }
    return starts
  }
}
