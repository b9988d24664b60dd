/// Neighbouring tokens of the test text, with what they say, for a report to show.
public struct Passage: Equatable, Sendable {
  /// The index of the first one among the scored tokens.
  public let start: Int
  /// The bytes of each token, which need not be UTF-8: a token may be a part of a character.
  public let tokens: [[UInt8]]

  public init(start: Int, tokens: [[UInt8]]) {
    self.start = start
    self.tokens = tokens
  }
}
