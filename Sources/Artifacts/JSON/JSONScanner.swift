import Diagnostics

/// Refuses what json-c lets pass, before json-c sees it.
///
/// json-c reads NaN and Infinity, saturates integers at 64 bits, reads numbers beyond the range of a double as
/// infinity, replaces lone surrogates, cuts a member's name at an embedded NUL and lets the last of several members
/// of one name win. This scanner checks every token by the grammar of RFC 8259; that tokens follow each other in
/// the right order is left to json-c. The number of members per object is counted so that the parser can tell
/// whether json-c dropped one.
struct JSONScanner {
  /// Deeper nesting than any file of ours has, and far from what would exhaust a stack.
  static let depthLimit = 100

  private struct Container {
    let opener: UInt8
    /// The number of the object among all objects of the text, in the order of their opening braces.
    let object: Int
  }

  private let bytes: UnsafeBufferPointer<UInt8>
  private let source: String
  private let firstLine: Int
  private var position = 0
  private var open: [Container] = []
  /// The last string token, and whether it holds an escaped NUL.
  private var string = (range: 0..<0, hasNUL: false)
  private var watched: (object: Int, seen: Set<ExactString>)?

  /// The number of members of each object, in the order of their opening braces.
  private(set) var memberCounts: [Int] = []

  init(_ bytes: UnsafeBufferPointer<UInt8>, source: String, firstLine: Int) {
    self.bytes = bytes
    self.source = source
    self.firstLine = firstLine
  }

  mutating func scan() throws {
    while position < bytes.count {
      switch bytes[position] {
      case UInt8(ascii: " "), UInt8(ascii: "\n"), UInt8(ascii: "\r"), UInt8(ascii: "\t"), UInt8(ascii: ","):
        position += 1
      case UInt8(ascii: "\""): try scanString()
      case UInt8(ascii: ":"): try countMember()
      case UInt8(ascii: "{"), UInt8(ascii: "["): try openContainer()
      case UInt8(ascii: "}"), UInt8(ascii: "]"):
        guard open.popLast() != nil else { throw failure("a closing bracket without an opening one") }
        position += 1
      case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): try scanNumber()
      case UInt8(ascii: "t"): try scanWord("true")
      case UInt8(ascii: "f"): try scanWord("false")
      case UInt8(ascii: "n"): try scanWord("null")
      default: throw failure("unexpected character")
      }
    }
  }

  /// The failure that names the repeated member of an object and the line of its second occurrence.
  mutating func duplicate(inObject object: Int) -> Failure {
    position = 0
    memberCounts = []
    watched = (object, [])
    do {
      try scan()
    } catch let failure as Failure {
      return failure
    } catch {}
    return failure("a member of an object is given twice")
  }

  /// A failure that names the line of the current position, or of another one.
  func failure(_ message: String, at offset: Int? = nil) -> Failure {
    let before = bytes[..<min(offset ?? position, bytes.count)]
    let line = before.count { $0 == UInt8(ascii: "\n") } + firstLine
    return Failure(.badData, message, at: "\(source), line \(line)")
  }

  private mutating func openContainer() throws {
    guard open.count < Self.depthLimit else { throw failure("nested deeper than \(Self.depthLimit) levels") }
    let opener = bytes[position]
    open.append(Container(opener: opener, object: memberCounts.count))
    if opener == UInt8(ascii: "{") { memberCounts.append(0) }
    position += 1
  }

  /// A colon: the string before it is the name of a member.
  private mutating func countMember() throws {
    guard let container = open.last, container.opener == UInt8(ascii: "{") else { throw failure("unexpected ':'") }
    if string.hasNUL { throw failure("a member's name holds a NUL character", at: string.range.lowerBound) }
    memberCounts[container.object] += 1
    if watched?.object == container.object {
      let name = try JSON(parsing: bytes[string.range], source: source).stringValue ?? ""
      if watched?.seen.insert(ExactString(name)).inserted == false {
        throw failure("'\(name)' is given twice in one object", at: string.range.lowerBound)
      }
    }
    position += 1
  }

  private mutating func scanWord(_ word: StaticString) throws {
    let end = position + word.utf8CodeUnitCount
    let isHere = end <= bytes.count && word.withUTF8Buffer { $0.elementsEqual(bytes[position..<end]) }
    guard isHere else { throw failure("expected '\(word)'") }
    position = end
  }
}

// MARK: Strings

extension JSONScanner {
  private mutating func scanString() throws {
    let start = position
    var hasNUL = false
    position += 1
    while position < bytes.count {
      switch bytes[position] {
      case UInt8(ascii: "\""):
        position += 1
        string = (start..<position, hasNUL)
        return
      case UInt8(ascii: "\\"): if try scanEscape() == 0 { hasNUL = true }
      case 0..<0x20: throw failure("a control character inside a string is not escaped")
      default: position += 1
      }
    }
    throw failure("a string is not closed", at: start)
  }

  /// Returns the value of a `\u` escape, nil for the short ones.
  private mutating func scanEscape() throws -> UInt32? {
    guard position + 1 < bytes.count else { throw failure("the text ends inside a string") }
    switch bytes[position + 1] {
    case UInt8(ascii: "u"):
      let unit = try scanCodeUnit()
      if 0xDC00...0xDFFF ~= unit { throw failure("a lone surrogate inside a string") }
      if 0xD800...0xDBFF ~= unit {
        guard position < bytes.count, 0xDC00...0xDFFF ~= (try scanCodeUnit()) else {
          throw failure("a lone surrogate inside a string")
        }
      }
      return unit
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
      UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
      position += 2
      return nil
    default: throw failure("an unknown escape inside a string")
    }
  }

  private mutating func scanCodeUnit() throws -> UInt32 {
    let digits = bytes[min(position + 2, bytes.count)..<min(position + 6, bytes.count)]
    let isEscape =
      position + 1 < bytes.count && bytes[position] == UInt8(ascii: "\\") && bytes[position + 1] == UInt8(ascii: "u")
    guard isEscape, digits.count == 4, digits.allSatisfy(\.isHexadecimalDigit),
      let unit = UInt32(String(decoding: digits, as: UTF8.self), radix: 16)
    else { throw failure("a broken \\u escape inside a string") }
    position += 6
    return unit
  }
}

// MARK: Numbers

extension JSONScanner {
  private mutating func scanNumber() throws {
    let start = position
    if bytes[position] == UInt8(ascii: "-") { position += 1 }
    let whole = try scanDigits()
    if whole.count > 1 && bytes[whole.lowerBound] == UInt8(ascii: "0") { throw failure("a number starts with 0") }
    var isInteger = true
    if position < bytes.count, bytes[position] == UInt8(ascii: ".") {
      isInteger = false
      position += 1
      _ = try scanDigits()
    }
    if position < bytes.count, bytes[position] | 0x20 == UInt8(ascii: "e") {
      isInteger = false
      position += 1
      if position < bytes.count, [UInt8(ascii: "+"), UInt8(ascii: "-")].contains(bytes[position]) { position += 1 }
      _ = try scanDigits()
    }
    try checkRange(of: start..<position, isInteger: isInteger)
  }

  private mutating func scanDigits() throws -> Range<Int> {
    let start = position
    while position < bytes.count, UInt8(ascii: "0")...UInt8(ascii: "9") ~= bytes[position] { position += 1 }
    guard position > start else { throw failure("a number lacks digits") }
    return start..<position
  }

  private func checkRange(of number: Range<Int>, isInteger: Bool) throws {
    if isInteger && number.count < 19 { return }  // At most 18 digits: fits whatever they are.
    let text = String(decoding: bytes[number], as: UTF8.self)
    let fits = isInteger ? Int(text) != nil : Double(text)?.isFinite == true
    if !fits { throw failure("\(text.prefix(40)) does not fit in 64 bits", at: number.lowerBound) }
  }
}

extension UInt8 {
  fileprivate var isHexadecimalDigit: Bool {
    switch self {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"),
      UInt8(ascii: "A")...UInt8(ascii: "F"):
      true
    default: false
    }
  }
}
