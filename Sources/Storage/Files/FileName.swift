/// Bytes as text for messages: every byte that is not UTF-8 is written like `\xE9`.
public func escapingInvalidUTF8(_ bytes: some Collection<UInt8>) -> String {
  var text = ""
  var parser = Unicode.UTF8.ForwardParser()
  var iterator = bytes.makeIterator()
  var position = bytes.startIndex
  while true {
    switch parser.parseScalar(from: &iterator) {
    case .valid(let encoded):
      text.unicodeScalars.append(Unicode.UTF8.decode(encoded))
      position = bytes.index(position, offsetBy: encoded.count)
    case .error(let length):
      for _ in 0..<length {
        let digits = String(bytes[position], radix: 16, uppercase: true)
        text += "\\x\(digits.utf8.count < 2 ? "0" : "")\(digits)"
        position = bytes.index(after: position)
      }
    case .emptyInput: return text
    }
  }
}

/// A name in a folder, as the system has it: any bytes but a slash and NUL.
struct FileName {
  let bytes: [UInt8]

  /// Nil where the bytes are not UTF-8.
  var text: String? { String(validating: bytes, as: UTF8.self) }

  /// For messages and for comparison with known names. It is a usable path only where `text` is not nil.
  var shown: String { text ?? escapingInvalidUTF8(bytes) }

  /// Whether the name begins with a point, or is the folder that macOS adds to archives.
  var isHidden: Bool { bytes.first == UInt8(ascii: ".") || bytes.elementsEqual("__MACOSX".utf8) }
}
