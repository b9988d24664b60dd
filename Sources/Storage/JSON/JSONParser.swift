import CJSON
import Diagnostics
import Files

extension JSON {
  /// How a text is read.
  public enum Reading: Sendable {
    /// For files of others: numbers beyond 64 bits, NaN, strings with lone surrogates and repeated members become
    /// `unusable` values, and a byte order mark is skipped.
    case lenient
    /// For files of ours, exactly by RFC 8259; a value that would be `unusable` is an error.
    case strict
  }

  /// Reads one JSON text.
  ///
  /// - Parameters:
  ///   - bytes: UTF-8.
  ///   - source: names the text in errors, usually a path.
  ///   - line: the number of the text's first line there.
  /// - Throws: `Failure(.badData)` with the line: bad syntax, invalid UTF-8, nesting beyond `JSONScanner.depthLimit`,
  ///   anything after the value; if `strict`, also what would be unusable.
  public init(
    parsing bytes: some Collection<UInt8>, source: String, line: Int = 1, for reading: Reading = .lenient
  ) throws {
    let parsed = try bytes.withContiguousStorageIfAvailable { try Self.parse($0, source, line, reading) }
    self = try parsed ?? Array(bytes).withUnsafeBufferPointer { try Self.parse($0, source, line, reading) }
  }

  /// Reads one JSON text from a string.
  public init(parsing text: String, source: String, line: Int = 1, for reading: Reading = .lenient) throws {
    try self.init(parsing: text.utf8, source: source, line: line, for: reading)
  }

  private static func parse(
    _ buffer: UnsafeBufferPointer<UInt8>, _ source: String, _ line: Int, _ reading: Reading
  ) throws -> JSON {
    // json-c counts bytes in an Int32.
    guard buffer.count <= Int(Int32.max) else { throw Failure(.badData, "larger than 2 GiB", at: source) }
    var bytes = buffer
    if reading != .strict, bytes.starts(with: [0xEF, 0xBB, 0xBF]) {
      bytes = UnsafeBufferPointer(rebasing: bytes.dropFirst(3))
    }
    var scanner = JSONScanner(bytes, source: source, firstLine: line, reading: reading)
    do {
      _ = try UTF8Span(validating: bytes.span)
    } catch {
      let guess = EncodingGuess(beginning: bytes, sample: bytes[max(0, error.byteOffsets.lowerBound - 256)...])
      throw scanner.failure(
        "not valid UTF-8\(guess.map { "; \($0.advice)" } ?? "")", at: error.byteOffsets.lowerBound)
    }
    // JSON begins with a character of ASCII and has no zeros: beside it one says that the encoding is a wide one.
    if bytes.prefix(2).contains(0), let guess = EncodingGuess.wide(Array(bytes.prefix(1 << 12))) {
      throw scanner.failure("not UTF-8; \(guess.advice)", at: 0)
    }
    try scanner.scan()
    do {
      return try convertedTree(bytes, scanner)
    } catch let lost as JSONConverter.LostMember {
      guard reading != .strict else { throw scanner.duplicate(inObject: lost.object) }
      try scanner.tellRepeatedMembersApart()
      return try convertedTree(bytes, scanner)
    }
  }

  private static func convertedTree(_ bytes: UnsafeBufferPointer<UInt8>, _ scanner: JSONScanner) throws -> JSON {
    let root =
      scanner.patches.isEmpty
      ? try parseTree(bytes, scanner)
      : try scanner.patches.applied(to: bytes).withUnsafeBufferPointer { try parseTree($0, scanner) }
    defer { json_object_put(root) }
    var converter = JSONConverter(memberCounts: scanner.memberCounts, patches: scanner.patches)
    return try converter.convert(root)
  }

  /// json-c's tree, to be released by the caller; nil stands for `null`.
  ///
  /// - Parameter bytes: the scanned text with its patches, which leave lines where they were.
  private static func parseTree(_ bytes: UnsafeBufferPointer<UInt8>, _ scanner: JSONScanner) throws -> OpaquePointer? {
    guard let tokener = json_tokener_new_ex(Int32(JSONScanner.depthLimit + 1)) else { fatalError("out of memory") }
    defer { json_tokener_free(tokener) }
    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8)
    guard let count = Int32(exactly: bytes.count) else { throw scanner.failure("larger than 2 GiB", at: 0) }
    var root = bytes.withMemoryRebound(to: CChar.self) { json_tokener_parse_ex(tokener, $0.baseAddress, count) }
    // A number at the very end could go on, so json-c waits for what follows it.
    if json_tokener_get_error(tokener) == json_tokener_continue { root = json_tokener_parse_ex(tokener, " ", 1) }
    let outcome = json_tokener_get_error(tokener)
    guard outcome == json_tokener_success else {
      json_object_put(root)
      if outcome == json_tokener_continue {
        throw scanner.failure("the text ends too early", in: bytes, at: bytes.count)
      }
      let reason = String(cString: json_tokener_error_desc(outcome))
      throw scanner.failure(reason, in: bytes, at: json_tokener_get_parse_end(tokener))
    }
    return root
  }
}

/// Turns json-c's tree into values.
struct JSONConverter {
  /// An object of the text has more members than json-c kept: one was given twice.
  struct LostMember: Error {
    let object: Int
  }

  let memberCounts: [Int]
  let patches: JSONPatches
  /// Objects met so far; the tree is walked in the order of the text, so this is also the number of the next one.
  private var objects = 0

  init(memberCounts: [Int], patches: JSONPatches) {
    self.memberCounts = memberCounts
    self.patches = patches
  }

  mutating func convert(_ node: OpaquePointer?) throws(LostMember) -> JSON {
    switch json_object_get_type(node) {
    case json_type_boolean: .bool(json_object_get_boolean(node) != 0)
    case json_type_int: .integer(Int(json_object_get_int64(node)))
    case json_type_double: .number(json_object_get_double(node))
    case json_type_string: string(node)
    case json_type_array: try convertArray(node)
    case json_type_object: try convertObject(node)
    default: .null
    }
  }

  private func string(_ node: OpaquePointer?) -> JSON {
    let start = UnsafeRawPointer(json_object_get_string(node))
    return patches.value(of: UnsafeRawBufferPointer(start: start, count: Int(json_object_get_string_len(node))))
  }

  private mutating func convertArray(_ node: OpaquePointer?) throws(LostMember) -> JSON {
    var values: [JSON] = []
    values.reserveCapacity(json_object_array_length(node))
    for index in 0..<json_object_array_length(node) {
      values.append(try convert(json_object_array_get_idx(node, index)))
    }
    return .array(values)
  }

  private mutating func convertObject(_ node: OpaquePointer?) throws(LostMember) -> JSON {
    let number = objects
    objects += 1
    guard let table = json_object_get_object(node), Int(table.pointee.count) == memberCounts[number] else {
      throw LostMember(object: number)
    }
    var object = JSONObject(minimumCapacity: Int(table.pointee.count))
    var entry = table.pointee.head
    while let member = entry {
      let (name, problem) = patches.member(String(cString: member.pointee.k.assumingMemoryBound(to: CChar.self)))
      let value = try convert(OpaquePointer(member.pointee.v))
      // Names that json-c did not see may still be the same.
      let isRepeated = !patches.isEmpty && object[name] != nil
      object[name] = problem.map { .unusable($0) } ?? (isRepeated ? .unusable(.repeated) : value)
      entry = member.pointee.next
    }
    return .object(object)
  }
}
