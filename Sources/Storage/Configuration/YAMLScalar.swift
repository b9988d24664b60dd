import JSON

/// A YAML scalar, read by the core schema of YAML 1.2.2 (section 10.3): `yes` and `on` are strings, not booleans.
public struct YAMLScalar: Equatable, Sendable {
  public let text: String
  /// False for quoted and block scalars, which are always strings.
  public let isPlain: Bool

  public init(_ text: String, isPlain: Bool) {
    self.text = text
    self.isPlain = isPlain
  }

  public var isNull: Bool { isPlain && ["", "~", "null", "Null", "NULL"].contains(text) }

  public var boolean: Bool? {
    guard isPlain else { return nil }
    return switch text {
    case "true", "True", "TRUE": true
    case "false", "False", "FALSE": false
    default: nil
    }
  }

  /// The value of a whole number, also one written like `1e6` or `2.0`; nil where it does not fit.
  public var integer: Int? {
    guard isPlain else { return nil }
    if text.hasPrefix("0x") { return Int(unsigned: text.dropFirst(2), radix: 16) }
    if text.hasPrefix("0o") { return Int(unsigned: text.dropFirst(2), radix: 8) }
    if let value = Int(text) { return value }
    // Beyond 2^53 a floating-point number no longer determines an integer.
    guard let value = number, value.rounded() == value, abs(value) <= 0x1p53 else { return nil }
    return Int(value)
  }

  var json: JSON {
    guard isPlain else { return .string(text) }
    if isNull { return .null }
    if let boolean { return .bool(boolean) }
    // `1e6` may stand for a whole number, but is written like a real one.
    if let whole = Int(text) ?? (number == nil ? integer : nil) { return .integer(whole) }
    return number.map { .number($0) } ?? .string(text)
  }

  /// The value of a finite number.
  public var number: Double? {
    guard isPlain else { return nil }
    // `Double` also reads C's hexadecimal floats, `inf` and `nan`, which are not YAML's.
    guard text.utf8.contains(where: isDigit), text.utf8.allSatisfy({ isDigit($0) || "+-.eE".utf8.contains($0) }),
      let value = Double(text), value.isFinite
    else { return nil }
    return value
  }
}

extension YAMLScalar {
  /// The spelling here of a boolean of YAML 1.1, or of a number with grouped digits; nil for other texts.
  var respelt: YAMLScalar? {
    guard isPlain else { return nil }
    switch text.lowercased() {
    case "yes", "on", "y": return YAMLScalar("true", isPlain: true)
    case "no", "off", "n": return YAMLScalar("false", isPlain: true)
    default:
      let joined = YAMLScalar(String(text.filter { !"_ '".contains($0) }), isPlain: true)
      return joined.text != text && joined.number != nil ? joined : nil
    }
  }
}

private func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

extension Int {
  fileprivate init?(unsigned digits: Substring, radix: Int) {
    guard let first = digits.first, first.isHexDigit else { return nil }
    self.init(digits, radix: radix)
  }
}
