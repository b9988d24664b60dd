/// Finds the array that is a member of a JSON object, by brackets and strings alone.
struct JSONMember {
  enum Outcome: Equatable {
    /// The index of the opening bracket.
    case found(Int)
    /// The object ended, or was none.
    case absent
    case undecided
  }

  private let name: [UInt8]
  private var depth = 0
  private var isInString = false
  private var isEscaped = false
  /// The string that was read last at depth 1.
  private var string: [UInt8] = []
  /// Whether that string was followed by a colon.
  private var isKey = false

  init(_ name: String) { self.name = Array(name.utf8) }

  /// Goes on in further bytes: those from an offset on.
  mutating func find(in bytes: ArraySlice<UInt8>, from start: Int) -> Outcome {
    for (offset, byte) in zip(start..., bytes[(bytes.startIndex + start)...]) {
      if isInString {
        readString(byte)
        continue
      }
      switch byte {
      case UInt8(ascii: "\""):
        isInString = true
        if depth == 1 { (string, isKey) = ([], false) }
      case UInt8(ascii: ":"): isKey = depth == 1
      case UInt8(ascii: "["):
        if depth == 1 && isKey && string == name { return .found(offset) }
        if depth == 0 { return .absent }
        depth += 1
      case UInt8(ascii: "{"): depth += 1
      case UInt8(ascii: "}"), UInt8(ascii: "]"):
        depth -= 1
        if depth <= 0 { return .absent }
      case UInt8(ascii: ","): if depth == 1 { isKey = false }
      default: break
      }
    }
    return .undecided
  }

  private mutating func readString(_ byte: UInt8) {
    if isEscaped {
      isEscaped = false
    } else if byte == UInt8(ascii: "\\") {
      isEscaped = true
    } else if byte == UInt8(ascii: "\"") {
      isInString = false
      return
    }
    if depth == 1 && !isKey && string.count <= name.count { string.append(byte) }
  }
}
