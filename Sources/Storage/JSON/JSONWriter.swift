import Diagnostics

extension JSON {
  /// The canonical text of this value: members sorted by the bytes of their names, no blanks, numbers in the shortest
  /// form that reads back equal. Digests and keys are made from it.
  public var canonical: String { write(.canonical) }

  /// One line in insertion order without blanks, for files of JSON lines (the line end is not included).
  public var compact: String { write(.compact) }

  /// For files that people look at: two blanks per level, insertion order, a line end.
  public var pretty: String { write(.pretty) + "\n" }

  private func write(_ style: JSONWriter.Style) -> String {
    var writer = JSONWriter(style)
    writer.write(self)
    return String(decoding: writer.bytes, as: UTF8.self)
  }
}

private struct JSONWriter {
  enum Style { case canonical, compact, pretty }

  private(set) var bytes: [UInt8] = []
  private let style: Style
  private var depth = 0

  init(_ style: Style) { self.style = style }

  mutating func write(_ value: JSON) {
    switch value {
    case .null: append("null")
    case .bool(let value): append(value ? "true" : "false")
    case .integer(let value): append(String(value))
    case .number(let value): append(value.isFinite ? value.description : "null")
    case .string(let value): write(value)
    case .array(let values): writeList(values, open: "[", close: "]") { $0.write($1) }
    case .object(let object): write(object)
    case .unusable(.number(let literal)) where literal.utf8.allSatisfy(isOfNumber): append(literal)
    case .unusable: append("null")
    }
  }

  /// Whether a byte may stand in a number; NaN and infinities have others.
  private func isOfNumber(_ byte: UInt8) -> Bool { "+-.eE0123456789".utf8.contains(byte) }

  private mutating func write(_ object: JSONObject) {
    let members =
      style == .canonical ? object.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) } : Array(object)
    writeList(members, open: "{", close: "}") { writer, member in
      writer.write(member.key)
      writer.append(writer.style == .pretty ? ": " : ":")
      writer.write(member.value)
    }
  }

  private mutating func writeList<Item>(
    _ items: [Item], open: StaticString, close: StaticString, item write: (inout JSONWriter, Item) -> Void
  ) {
    append(open)
    depth += 1
    for (index, item) in items.enumerated() {
      if index > 0 { append(",") }
      startLine()
      write(&self, item)
    }
    depth -= 1
    if !items.isEmpty { startLine() }
    append(close)
  }

  private mutating func startLine() {
    guard style == .pretty else { return }
    bytes.append(UInt8(ascii: "\n"))
    bytes.append(contentsOf: repeatElement(UInt8(ascii: " "), count: 2 * depth))
  }

  private mutating func append(_ text: String) { bytes.append(contentsOf: text.utf8) }

  private mutating func append(_ text: StaticString) {
    text.withUTF8Buffer { bytes.append(contentsOf: $0) }
  }

  /// Escapes what has to be escaped and nothing else.
  private mutating func write(_ text: String) {
    append("\"" as StaticString)
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\""): append(#"\""# as StaticString)
      case UInt8(ascii: "\\"): append(#"\\"# as StaticString)
      case UInt8(ascii: "\n"): append(#"\n"# as StaticString)
      case UInt8(ascii: "\r"): append(#"\r"# as StaticString)
      case UInt8(ascii: "\t"): append(#"\t"# as StaticString)
      case 0x00..<0x20:
        append(#"\u00"# as StaticString)
        append(hexadecimal([byte]))
      default: bytes.append(byte)
      }
    }
    append("\"" as StaticString)
  }
}
