/// Finds where a JSON value ends, by brackets and strings alone. Only the parser checks that it is valid.
struct JSONExtent {
  private var depth = 0
  private var isInString = false
  private var isEscaped = false
  private var hasBegun = false

  /// Goes on with the value in further bytes.
  ///
  /// - Returns: the index behind the value; nil where it does not end in these bytes.
  mutating func end(in bytes: UnsafeBufferPointer<UInt8>, from start: Int) -> Int? {
    var i = start
    while i < bytes.count {
      let byte = bytes[i]
      if isInString {
        if isEscaped {
          isEscaped = false
        } else if byte == UInt8(ascii: "\\") {
          isEscaped = true
        } else if byte == UInt8(ascii: "\"") {
          isInString = false
          if depth == 0 { return i + 1 }
        }
      } else {
        switch byte {
        case UInt8(ascii: "\""): isInString = true
        case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
        case UInt8(ascii: "}"), UInt8(ascii: "]"):
          if depth == 0 { return i }
          depth -= 1
          if depth == 0 { return i + 1 }
        case UInt8(ascii: ","), UInt8(ascii: " "), UInt8(ascii: "\n"), UInt8(ascii: "\r"), UInt8(ascii: "\t"):
          if depth == 0 && hasBegun { return i }
        default: break
        }
      }
      hasBegun = true
      i += 1
    }
    return nil
  }
}
