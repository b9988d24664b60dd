/// Windows of tokens side by side in which input i is token i and predicts token i + 1.
public struct WindowBatch: Sendable {
  /// The label of a position that predicts nothing.
  public static let masked: Int64 = -100

  public let rows: Int
  public let context: Int
  /// [rows, context]. Positions behind the end of the sequence hold 0.
  public let inputs: [Int64]
  /// [rows, context]: the token after each input, or `masked` where that begins another document or does not exist.
  public let labels: [Int64]
  /// [rows, context]: the place in its window at which the document of each position begins; nil when every window lies
  /// within one document.
  public let documentStarts: [Int64]?

  /// How many labels are not masked.
  public var countedLabels: Int { labels.reduce(0) { $0 + ($1 == Self.masked ? 0 : 1) } }
  /// The places whose labels are not masked, counted across the windows.
  public var countedPlaces: [Int] { labels.indices.filter { labels[$0] != Self.masked } }
}

extension WindowBatch {
  /// Cuts windows of `context` inputs out of a sequence at the given positions.
  public init(_ sequence: some TokenSequence, starts: [Int], context: Int) throws {
    rows = starts.count
    self.context = context
    let windows = try starts.map { try Window(sequence, start: $0, context: context) }
    inputs = windows.flatMap(\.inputs)
    labels = windows.flatMap(\.labels)
    let documentStarts = windows.flatMap(\.documentStarts)
    self.documentStarts = documentStarts.contains { $0 != 0 } ? documentStarts : nil
  }
}

private struct Window {
  let inputs: [Int64]
  let labels: [Int64]
  let documentStarts: [Int64]

  init(_ sequence: some TokenSequence, start: Int, context: Int) throws {
    let end = min(start + context + 1, sequence.count)
    let tokens = try sequence.tokens(in: start..<end).map(Int64.init)
    // The token at `boundary` is the label of the position before it.
    var labels = Array(tokens.dropFirst())
    var documentStarts = [Int64](repeating: 0, count: context)
    for boundary in sequence.documentStarts(in: start + 1..<end).map({ $0 - start }) {
      labels[boundary - 1] = WindowBatch.masked
      for position in boundary..<context { documentStarts[position] = Int64(boundary) }
    }
    inputs = Self.padded(Array(tokens.prefix(context)), to: context, with: 0)
    self.labels = Self.padded(labels, to: context, with: WindowBatch.masked)
    self.documentStarts = documentStarts
  }

  private static func padded(_ values: [Int64], to count: Int, with filler: Int64) -> [Int64] {
    values + repeatElement(filler, count: count - values.count)
  }
}
