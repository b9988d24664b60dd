import CJSON
import Diagnostics

extension JSON {
  /// Reads one JSON text, by RFC 8259 to the letter.
  ///
  /// - Parameters:
  ///   - bytes: UTF-8, without a byte order mark.
  ///   - source: names the text in errors, usually a path.
  ///   - line: the number of the text's first line there.
  /// - Throws: `Failure(.badData)` with the line: bad syntax, invalid UTF-8, members given twice, numbers that do not
  ///   fit in 64 bits, nesting beyond `JSONScanner.depthLimit`, anything after the value.
  public init(parsing bytes: some Collection<UInt8>, source: String, line: Int = 1) throws {
    let parsed = try bytes.withContiguousStorageIfAvailable { try JSON.parse($0, source: source, line: line) }
    self = try parsed ?? Array(bytes).withUnsafeBufferPointer { try JSON.parse($0, source: source, line: line) }
  }

  /// Reads one JSON text from a string.
  public init(parsing text: String, source: String, line: Int = 1) throws {
    try self.init(parsing: text.utf8, source: source, line: line)
  }

  private static func parse(_ bytes: UnsafeBufferPointer<UInt8>, source: String, line: Int) throws -> JSON {
    // json-c counts bytes in an Int32.
    guard bytes.count <= Int(Int32.max) else { throw Failure(.badData, "larger than 2 GiB", at: source) }
    var scanner = JSONScanner(bytes, source: source, firstLine: line)
    do {
      _ = try UTF8Span(validating: bytes.span)
    } catch {
      throw scanner.failure("not valid UTF-8", at: error.byteOffsets.lowerBound)
    }
    try scanner.scan()
    let root = try parseTree(bytes, scanner)
    defer { json_object_put(root) }
    var converter = JSONConverter(memberCounts: scanner.memberCounts)
    do {
      return try converter.convert(root)
    } catch {
      throw scanner.duplicate(inObject: error.object)
    }
  }

  /// json-c's tree, to be released by the caller; nil stands for `null`.
  private static func parseTree(_ bytes: UnsafeBufferPointer<UInt8>, _ scanner: JSONScanner) throws -> OpaquePointer? {
    guard let tokener = json_tokener_new_ex(Int32(JSONScanner.depthLimit + 1)) else { fatalError("out of memory") }
    defer { json_tokener_free(tokener) }
    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8)
    var root = bytes.withMemoryRebound(to: CChar.self) {
      json_tokener_parse_ex(tokener, $0.baseAddress, Int32($0.count))
    }
    // A number at the very end could go on, so json-c waits for what follows it.
    if json_tokener_get_error(tokener) == json_tokener_continue { root = json_tokener_parse_ex(tokener, " ", 1) }
    let outcome = json_tokener_get_error(tokener)
    guard outcome == json_tokener_success else {
      json_object_put(root)
      if outcome == json_tokener_continue { throw scanner.failure("the text ends too early", at: bytes.count) }
      let reason = String(cString: json_tokener_error_desc(outcome))
      throw scanner.failure(reason, at: json_tokener_get_parse_end(tokener))
    }
    return root
  }
}

/// Turns json-c's tree into values.
private struct JSONConverter {
  /// An object of the text has more members than json-c kept: one was given twice.
  struct LostMember: Error {
    let object: Int
  }

  let memberCounts: [Int]
  /// Objects met so far; the tree is walked in the order of the text, so this is also the number of the next one.
  private var objects = 0

  init(memberCounts: [Int]) { self.memberCounts = memberCounts }

  mutating func convert(_ node: OpaquePointer?) throws(LostMember) -> JSON {
    switch json_object_get_type(node) {
    case json_type_boolean: .bool(json_object_get_boolean(node) != 0)
    case json_type_int: .integer(Int(json_object_get_int64(node)))
    case json_type_double: .number(json_object_get_double(node))
    case json_type_string: .string(string(node))
    case json_type_array: try convertArray(node)
    case json_type_object: try convertObject(node)
    default: .null
    }
  }

  private func string(_ node: OpaquePointer?) -> String {
    let start = UnsafeRawPointer(json_object_get_string(node))
    return String(
      decoding: UnsafeRawBufferPointer(start: start, count: Int(json_object_get_string_len(node))), as: UTF8.self)
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
      let name = String(cString: member.pointee.k.assumingMemoryBound(to: CChar.self))
      object[name] = try convert(OpaquePointer(member.pointee.v))
      entry = member.pointee.next
    }
    return .object(object)
  }
}
