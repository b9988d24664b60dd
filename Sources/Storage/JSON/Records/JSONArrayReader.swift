import Diagnostics
import Files

/// Splits one JSON array into its elements, in memory bounded by the longest element that is allowed.
struct JSONArrayReader {
  private let source: any ByteSource
  private let limit: Int
  private let isWhole: Bool
  private var buffer: [UInt8] = []
  private var start = 0
  private var hasBegun = false
  private var isAtEnd = false
  /// The number of the element read last, counted from 1.
  private(set) var number = 0
  /// The line that it begins in, counted from 1.
  private(set) var line = 1
  /// Line ends that were passed since.
  private var passedLines = 0

  /// - Parameters:
  ///   - source: begins with the opening bracket, perhaps after white space.
  ///   - limit: the longest element accepted, in bytes.
  ///   - isWhole: whether nothing may follow the array.
  init(_ source: any ByteSource, limit: Int, isWhole: Bool = true) {
    self.source = source
    self.limit = limit
    self.isWhole = isWhole
  }

  /// The bytes of the next element; nil after the last, when nothing but white space follows the array.
  mutating func next() throws -> ArraySlice<UInt8>? {
    guard !isAtEnd else { return nil }
    let opener = try nextByte()
    if !hasBegun {
      precondition(opener == UInt8(ascii: "["), "the source is no array")
      hasBegun = true
      start += 1
      if try nextByte() == UInt8(ascii: "]") { return try finish() }
    } else if opener == UInt8(ascii: "]") {
      return try finish()
    } else if opener == UInt8(ascii: ",") {
      start += 1
    } else {
      throw opener == nil ? tooEarly : failure("expected ',' or ']' after element \(number)")
    }
    guard let first = try nextByte() else { throw tooEarly }
    guard ![UInt8(ascii: "]"), UInt8(ascii: ",")].contains(first) else {
      throw failure("expected a value after element \(number)")
    }
    (line, passedLines) = (line + passedLines, 0)
    let element = try element()
    number += 1
    passedLines = element.count { $0 == UInt8(ascii: "\n") }
    return element
  }

  private mutating func element() throws -> ArraySlice<UInt8> {
    var extent = JSONExtent()
    var searched = start
    while true {
      if let end = buffer.withUnsafeBufferPointer({ extent.end(in: $0, from: searched) }) {
        defer { start = end }
        return buffer[start..<end]
      }
      guard buffer.count - start <= limit else { throw failure("element \(number + 1) is longer than \(limit) bytes") }
      searched = buffer.count - start
      guard try fill() else { throw tooEarly }
    }
  }

  /// The next byte that is not white space, without consuming it; nil at the end.
  private mutating func nextByte() throws -> UInt8? {
    while true {
      while start < buffer.count {
        switch buffer[start] {
        case UInt8(ascii: "\n"): passedLines += 1
        case UInt8(ascii: " "), UInt8(ascii: "\r"), UInt8(ascii: "\t"): break
        case let byte: return byte
        }
        start += 1
      }
      guard try fill() else { return nil }
    }
  }

  private mutating func finish() throws -> ArraySlice<UInt8>? {
    start += 1
    isAtEnd = true
    guard try !isWhole || nextByte() == nil else {
      throw failure("something follows the array; a file holds one array, or a record in each line")
    }
    return nil
  }

  /// Moves what is not yet read to the start of the buffer and reads more. False at the end.
  private mutating func fill() throws -> Bool {
    buffer.removeFirst(start)
    start = 0
    let more = try source.read(upTo: FileReader.bufferSize)
    buffer += more
    return !more.isEmpty
  }

  private var tooEarly: Failure { failure("the text ends too early: the array is not closed") }

  private func failure(_ message: String) -> Failure {
    Failure(.badData, message, at: "\(source.name), line \(line + passedLines)")
  }
}
