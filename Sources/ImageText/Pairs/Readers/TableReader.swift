import Diagnostics
import Files
import JSON

/// The rows of a table in a text file (RFC 4180), with a header, separated by commas, tabs or semicolons; in memory
/// bounded by the longest row.
struct TableReader {
  struct Row {
    /// The line that it begins in, counted from 1.
    let line: Int
    /// Values by column; empty ones are left out.
    let fields: Result<JSONObject, Reason>
  }

  struct Reason: Error {
    let text: String
  }

  private var bytes: ByteIterator
  private let separator: UInt8
  /// The names of the columns.
  private(set) var header: [String] = []
  private var line = 1

  /// - Parameter separator: nil for the one among comma, tab and semicolon that occurs most often in the header.
  /// - Throws: `Failure(.badData)` for a file without a header in UTF-8.
  init(_ source: any ByteSource, separator: UInt8?) throws {
    bytes = ByteIterator(source)
    if let separator {
      self.separator = separator
    } else {
      let line = try bytes.peek(upTo: UInt8(ascii: "\n"), limit: PairLimits.text)
      self.separator = [UInt8(ascii: ","), UInt8(ascii: "\t"), UInt8(ascii: ";")].max { a, b in
        line.count { $0 == a } < line.count { $0 == b }
      }!
    }
    guard let fields = try row() else { throw Failure(.badData, "is empty", at: source.name) }
    header = try fields.map { field in
      guard let name = String(validating: field, as: UTF8.self) else {
        throw Failure(.badData, "its header is not UTF-8", at: source.name)
      }
      return name.hasPrefix("\u{FEFF}") ? String(name.dropFirst()) : name
    }
    guard Set(header).count == header.count else {
      throw Failure(.badData, "its header names a column twice", at: source.name)
    }
  }

  /// The next row; nil after the last. Blank lines are none.
  mutating func next() throws -> Row? {
    while true {
      try Interruption.check()
      let start = line
      guard let values = try row() else { return nil }
      if values.count == 1 && values[0].isEmpty { continue }
      return Row(line: start, fields: named(values))
    }
  }

  private func named(_ values: [[UInt8]]) -> Result<JSONObject, Reason> {
    guard values.count == header.count else {
      return .failure(Reason(text: "has \(counted(values.count, "field")), the header \(header.count)"))
    }
    var object = JSONObject()
    for (name, value) in zip(header, values) where !value.isEmpty {
      guard let text = String(validating: value, as: UTF8.self) else {
        return .failure(Reason(text: "its field '\(name)' is not UTF-8"))
      }
      object[name] = .string(text)
    }
    return .success(object)
  }

  /// The fields of the next row; nil at the end.
  private mutating func row() throws -> [[UInt8]]? {
    guard try bytes.peek() != nil else { return nil }
    let start = line
    var fields: [[UInt8]] = [[]]
    var size = 0
    var isQuoted = false
    while let byte = try bytes.next() {
      size += 1
      guard size <= PairLimits.text else {
        throw Failure(.badData, "is longer than \(PairLimits.text) bytes", at: "\(bytes.name), line \(start)")
      }
      if byte == UInt8(ascii: "\n") { line += 1 }
      switch byte {
      case UInt8(ascii: "\"") where isQuoted:
        if try bytes.peek() == UInt8(ascii: "\"") {
          fields[fields.count - 1].append(try bytes.next()!)
        } else {
          isQuoted = false
        }
      case _ where isQuoted: fields[fields.count - 1].append(byte)
      case UInt8(ascii: "\"") where fields[fields.count - 1].isEmpty: isQuoted = true
      case separator: fields.append([])
      case UInt8(ascii: "\r") where try bytes.peek() == UInt8(ascii: "\n"): break
      case UInt8(ascii: "\n"): return fields
      default: fields[fields.count - 1].append(byte)
      }
    }
    guard !isQuoted else {
      throw Failure(
        .badData, "a quotation mark that opens in this row is never closed", at: "\(bytes.name), line \(start)")
    }
    return fields
  }
}

/// The bytes of a source one by one, with a look ahead.
private struct ByteIterator {
  private let source: any ByteSource
  private var buffer: [UInt8] = []
  private var place = 0
  var name: String { source.name }

  init(_ source: any ByteSource) { self.source = source }

  mutating func peek() throws -> UInt8? {
    if place == buffer.count { (buffer, place) = (try source.read(upTo: FileReader.bufferSize), 0) }
    return place < buffer.count ? buffer[place] : nil
  }

  mutating func next() throws -> UInt8? {
    guard let byte = try peek() else { return nil }
    place += 1
    return byte
  }

  /// The bytes before a mark, or as many as there are, without consuming them.
  mutating func peek(upTo mark: UInt8, limit: Int) throws -> ArraySlice<UInt8> {
    while !buffer[place...].contains(mark), buffer.count - place < limit {
      let more = try source.read(upTo: FileReader.bufferSize)
      if more.isEmpty { break }
      buffer += more
    }
    return buffer[place...].prefix { $0 != mark }
  }
}
