import Diagnostics
import Files

/// The records of a JSON file, one after the other: a value in each line, or the elements of one array, or of an array
/// that is a member of one object.
///
/// The beginning decides which. A byte order mark before it is skipped, as by Python's `utf-8-sig`. Memory is
/// bounded by the longest record.
public struct JSONRecords {
  public struct Record {
    public let json: JSON
    /// The file and the line or entry, for messages.
    public let place: String
  }

  private let name: String
  private let otherwise: String
  private var lines: LineReader
  /// Nil where each line is a record.
  private var array: JSONArrayReader?

  /// - Parameters:
  ///   - limit: the longest record accepted, in bytes.
  ///   - member: the name of the member whose elements are the records, where the file is one object with such an array.
  ///   - otherwise: the advice that ends messages about a file of another kind.
  /// - Throws: `Failure(.badData)` for a file that does not begin like text in UTF-8.
  public init(
    _ source: any ByteSource, limit: Int = 1 << 28, member: String? = nil, otherwise: String? = nil
  ) throws {
    name = source.name
    self.otherwise = otherwise.map { ", or \($0)" } ?? ""
    var beginning: [UInt8] = []
    var isBlank = true
    while beginning.count < 4 || beginning.count < limit && isBlank,
      case let more = try source.read(upTo: FileReader.bufferSize), !more.isEmpty
    {
      isBlank = isBlank && more.allSatisfy(isJSONBlank)
      beginning += more
    }
    try Self.check(beginning, name)
    var content = beginning[...].trimmingPrefix([0xEF, 0xBB, 0xBF])
    let isArray = content.first { !isJSONBlank($0) } == UInt8(ascii: "[")
    let isMember = try member.map { try Self.skip(to: $0, &content, source) } ?? false
    let rest = PrefixedSource(content, source)
    lines = LineReader(rest, limit: limit)
    array = isArray || isMember ? JSONArrayReader(rest, limit: limit, isWhole: !isMember) : nil
  }

  /// How far into an object a member is searched, in bytes.
  private static let searched = 1 << 22

  /// Drops what precedes the array of an object's member. False, with all bytes kept, where there is none.
  private static func skip(to member: String, _ content: inout ArraySlice<UInt8>, _ source: any ByteSource) throws
    -> Bool
  {
    guard content.first(where: { !isJSONBlank($0) }) == UInt8(ascii: "{") else { return false }
    var search = JSONMember(member)
    var start = 0
    while true {
      switch search.find(in: content, from: start) {
      case .found(let offset):
        content = content.dropFirst(offset)
        return true
      case .absent: return false
      case .undecided:
        start = content.count
        let more = try start < searched ? source.read(upTo: FileReader.bufferSize) : []
        if more.isEmpty { return false }
        content += more
      }
    }
  }

  /// Whether the records are the elements of one array.
  public var isArray: Bool { array != nil }

  private static func check(_ beginning: [UInt8], _ name: String) throws {
    if let advice = FileMark.advice(beginning) { throw Failure(.badData, "is no JSON: \(advice)", at: name) }
    // JSON begins with a character of ASCII, and has none of value 0.
    let isWide =
      beginning.prefix(4).contains(0) || beginning.starts(with: [0xFF, 0xFE]) || beginning.starts(with: [0xFE, 0xFF])
    if isWide, let guess = EncodingGuess.wide(beginning) {
      throw Failure(.badData, "is no JSON in UTF-8: \(guess.advice)", at: name)
    }
  }

  /// The next record; nil after the last. Blank lines are none.
  ///
  /// - Throws: `Failure(.badData)` with the place of a record that is not JSON or continues beyond its line.
  public mutating func next() throws -> Record? {
    try Interruption.check()
    guard array != nil else { return try nextLine() }
    guard let element = try array!.next() else { return nil }
    let place = "\(name), entry \(array!.number)"
    return Record(json: try JSON(parsing: element, source: place, line: array!.line), place: place)
  }

  private mutating func nextLine() throws -> Record? {
    while let line = try lines.next() {
      if line.allSatisfy(isJSONBlank) { continue }
      let number = lines.number
      do {
        return Record(json: try JSON(parsing: line, source: name, line: number), place: "\(name), line \(number)")
      } catch let failure as Failure {
        guard try goesOn(line) else { throw failure }
        throw Failure(
          .badData,
          "the value that begins here goes on in the next line; a line has to hold a whole record, as "
            + "jq -c . FILE > NEW writes them\(otherwise)", at: "\(name), line \(number)")
      }
    }
    return nil
  }

  /// Whether a line is the beginning of a value and another line follows.
  private mutating func goesOn(_ line: ArraySlice<UInt8>) throws -> Bool {
    guard let first = line.first(where: { !isJSONBlank($0) }), "{[".utf8.contains(first) else { return false }
    var extent = JSONExtent()
    let start = line.prefix { isJSONBlank($0) }.count
    guard line.withUnsafeBufferPointer({ extent.end(in: $0, from: start) }) == nil else { return false }
    return try lines.next() != nil
  }
}

/// White space that may stand between JSON texts.
private func isJSONBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 }
