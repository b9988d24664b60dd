import Tokenization

/// Tokens in a row, cut into documents.
public protocol TokenSequence: Sendable {
  var count: Int { get }
  func tokens(in range: Range<Int>) throws -> [Int32]
  /// The positions within a range at which documents begin, ascending.
  func documentStarts(in range: Range<Int>) -> [Int]
}

/// Tokens held in memory.
public struct TokenArray: TokenSequence {
  private let elements: [Int32]
  private let starts: [Int]

  public init(_ elements: [Int32], documentStarts: [Int] = [0]) {
    self.elements = elements
    starts = documentStarts
  }

  public var count: Int { elements.count }
  public func tokens(in range: Range<Int>) -> [Int32] { Array(elements[range]) }
  public func documentStarts(in range: Range<Int>) -> [Int] { starts.filter(range.contains) }
}

extension TokenSplit: TokenSequence {
  public func documentStarts(in range: Range<Int>) -> [Int] {
    guard !range.isEmpty else { return [] }
    return documents[documents.index(ofToken: range.lowerBound)...].lazy
      .map(\.firstToken).prefix { $0 < range.upperBound }.filter { $0 >= range.lowerBound }
  }
}
