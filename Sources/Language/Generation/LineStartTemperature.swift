/// AdapT's two temperatures for program code (arXiv 2309.02772; LJ2lijia/AdapT `codegeex/torch/inference.py`): a higher one for
/// the first token of an indented line, a lower one for all others.
///
/// The published rule knows three tokens by their ids: a line feed, a tab and four blanks. Here the bytes of the token before
/// decide, so that it holds for any vocabulary: white space without a line feed is indentation if only that came since the last
/// line feed. A line that is not indented begins with the lower temperature, as published.
public struct LineStartTemperature: Equatable, Sendable {
  public let high: Double
  public let low: Double
  /// The temperature of the next token.
  public private(set) var temperature: Double
  /// Whether nothing but indentation came since the last line feed.
  private var isAtLineStart = false

  public init(high: Double, low: Double) {
    (self.high, self.low) = (high, low)
    temperature = low
  }

  /// Takes note of a token of the text.
  ///
  /// - Parameter bytes: of the token.
  public mutating func follow(_ bytes: [UInt8]) {
    let lineFeed = bytes.lastIndex(of: UInt8(ascii: "\n"))
    if lineFeed != nil { (isAtLineStart, temperature) = (true, low) }
    let rest = bytes[(lineFeed.map { $0 + 1 } ?? 0)...]
    guard !rest.isEmpty else { return }
    if rest.allSatisfy({ $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }) {
      if isAtLineStart { temperature = high }
    } else {
      (isAtLineStart, temperature) = (false, low)
    }
  }
}

/// A rule of line starts with what it has to know of the tokens.
public struct LineStartRule: Sendable {
  public var temperature: LineStartTemperature
  /// The bytes of a token.
  public let bytes: @Sendable (Int32) -> [UInt8]

  public init(_ temperature: LineStartTemperature, bytes: @escaping @Sendable (Int32) -> [UInt8]) {
    (self.temperature, self.bytes) = (temperature, bytes)
  }

  mutating func follow(_ token: Int32) { temperature.follow(bytes(token)) }
}
