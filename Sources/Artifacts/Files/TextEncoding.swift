/// Encodings of text besides UTF-8 that a file's first bytes give away.
public enum TextEncoding: String, Sendable, CustomStringConvertible {
  case utf16LittleEndian = "UTF-16LE"
  case utf16BigEndian = "UTF-16BE"
  case utf32LittleEndian = "UTF-32LE"
  case utf32BigEndian = "UTF-32BE"

  /// U+FEFF in UTF-8, which some editors put before a text.
  public static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]

  public var description: String { rawValue }

  /// What turns a file in this encoding into UTF-8.
  public var remedy: String { "convert it: iconv -f \(rawValue) -t UTF-8 FILE" }

  /// The encoding of a text whose characters have two or four bytes each: known by its byte order mark, or by the zeros
  /// beside its first character, which is ASCII in every file of a format that is read here. Nil for all other texts.
  public static func wideEncoding(ofTextBeginningWith bytes: some Collection<UInt8>) -> TextEncoding? {
    let first = Array(bytes.prefix(4))
    if first.starts(with: [0xFF, 0xFE, 0, 0]) { return .utf32LittleEndian }
    if first.starts(with: [0, 0, 0xFE, 0xFF]) { return .utf32BigEndian }
    if first.starts(with: [0xFF, 0xFE]) { return .utf16LittleEndian }
    if first.starts(with: [0xFE, 0xFF]) { return .utf16BigEndian }
    guard first.count == 4 else { return nil }
    switch first.map({ $0 != 0 }) {
    case [true, false, false, false]: return .utf32LittleEndian
    case [false, false, false, true]: return .utf32BigEndian
    case [true, false, true, false]: return .utf16LittleEndian
    case [false, true, false, true]: return .utf16BigEndian
    default: return nil
    }
  }
}
