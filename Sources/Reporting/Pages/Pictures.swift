/// Pictures within a page, as data that need nothing beside it.
extension HTML {
  /// A picture with words below it.
  ///
  /// - Parameters:
  ///   - png: a PNG file; nil where the picture is not to be seen.
  ///   - title: also read out to those who cannot see the picture.
  ///   - absence: why it is not to be seen.
  public static func pictureCard(_ png: [UInt8]?, title: String, lines: [String], absence: String) -> HTML {
    let picture: HTML =
      png.map { "<img alt=\"\(title)\" src=\"data:image/png;base64,\(HTML(markup: base64($0)))\">" }
      ?? "<span class=\"absent\">\(absence)</span>"
    return "<div>\(picture)<strong>\(title)</strong>\(lines.map { "<small>\($0)</small>" as HTML })</div>"
  }

  /// A text that stands among pictures.
  public static func textCard(_ text: String, note: String? = nil) -> HTML {
    let note: HTML = note.map { "<small>\($0)</small>" } ?? .empty
    return "<div class=\"text\"><strong>\(text)</strong>\(note)</div>"
  }

  /// Cards side by side, and what stands beside them.
  public static func shelf(_ cards: [HTML], _ beside: HTML = .empty) -> HTML {
    "<div class=\"shelf\">\n\(cards)\(beside)</div>"
  }
}

/// RFC 4648, section 4.
func base64(_ bytes: [UInt8]) -> String {
  let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
  var text: [UInt8] = []
  text.reserveCapacity((bytes.count + 2) / 3 * 4)
  for start in stride(from: 0, to: bytes.count, by: 3) {
    let group = bytes[start..<min(start + 3, bytes.count)]
    var bits = 0
    for byte in group { bits = bits << 8 | Int(byte) }
    bits <<= 8 * (3 - group.count)
    for digit in 0..<4 {
      text.append(digit <= group.count ? alphabet[bits >> (18 - 6 * digit) & 63] : UInt8(ascii: "="))
    }
  }
  return String(decoding: text, as: UTF8.self)
}
