import Diagnostics

/// Refuses or rewrites what json-c reads wrongly, before json-c sees it.
///
/// json-c reads NaN and Infinity, saturates integers at 64 bits, reads numbers beyond the range of a double as
/// infinity, replaces lone surrogates and also pairs whose code point ends in D800 to DFFF (json-c/json-c#893), cuts a
/// member's name at an embedded NUL and lets the last of several members of one name win. This scanner checks every
/// token by the grammar of RFC 8259; that tokens follow each other in the right order is left to json-c. The number of
/// members per object is counted so that the parser can tell whether json-c dropped one.
struct JSONScanner {
  /// The greatest depth: more than any file of ours has, and far too little to exhaust a stack.
  static let depthLimit = 100

  private struct Container {
    let opener: UInt8
    /// The number of the object among all objects of the text, in the order of their opening braces.
    let object: Int
  }

  /// A string token, and whether it has an escaped NUL or half a surrogate pair, which a name of a member must not have.
  private struct StringToken {
    var range = 0..<0
    var hasNUL = false
    var loneSurrogates = 0
  }

  private let bytes: UnsafeBufferPointer<UInt8>
  private let source: String
  private let firstLine: Int
  private let reading: JSON.Reading
  private var position = 0
  private var open: [Container] = []
  /// The last one.
  private var string = StringToken()
  private var watched: (object: Int, seen: Set<ExactString>)?

  /// The number of members of each object, in the order of their opening braces.
  private(set) var memberCounts: [Int] = []
  private(set) var patches = JSONPatches()
  /// The names that each open object has had so far, where repeated ones are to be told apart.
  private var names: [Set<ExactString>]?

  init(_ bytes: UnsafeBufferPointer<UInt8>, source: String, firstLine: Int, reading: JSON.Reading) {
    self.bytes = bytes
    self.source = source
    self.firstLine = firstLine
    self.reading = reading
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
        _ = names?.popLast()
        position += 1
      case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "N"), UInt8(ascii: "I"):
        try scanNumber()
      case UInt8(ascii: "t"): try scanWord("true")
      case UInt8(ascii: "f"): try scanWord("false")
      case UInt8(ascii: "n"): try scanWord("null")
      default: throw failure("unexpected character")
      }
    }
  }

  /// Scans once more, so that of members of one name each has one of its own; see `JSONPatches.name`.
  mutating func tellRepeatedMembersApart() throws {
    (position, memberCounts, patches) = (0, [], JSONPatches())
    names = []
    try scan()
  }

  /// The failure that names the repeated member of an object and the line of its second occurrence.
  mutating func duplicate(inObject object: Int) -> Failure {
    position = 0
    memberCounts = []
    patches = JSONPatches()
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
    failure(message, in: bytes, at: offset ?? position)
  }

  /// The same for an offset in the text with its patches.
  func failure(_ message: String, in bytes: UnsafeBufferPointer<UInt8>, at offset: Int) -> Failure {
    let before = bytes[..<min(offset, bytes.count)]
    let line = before.count { $0 == UInt8(ascii: "\n") } + firstLine
    return Failure(.badData, message, at: "\(source), line \(line)")
  }

  private mutating func openContainer() throws {
    guard open.count < Self.depthLimit else { throw failure("nested deeper than \(Self.depthLimit) levels") }
    let opener = bytes[position]
    open.append(Container(opener: opener, object: memberCounts.count))
    if opener == UInt8(ascii: "{") { memberCounts.append(0) }
    names?.append([])
    position += 1
  }

  /// A colon: the string before it is the name of a member.
  private mutating func countMember() throws {
    guard let container = open.last, container.opener == UInt8(ascii: "{") else { throw failure("unexpected ':'") }
    let start = string.range.lowerBound
    let isAfterString =
      !string.range.isEmpty && bytes[string.range.upperBound..<position].allSatisfy { " \n\r\t".utf8.contains($0) }
    guard isAfterString else { throw failure("a member's name is no string") }
    if string.hasNUL || string.loneSurrogates > 0 {
      guard reading != .strict else { throw failure("a member's name holds a NUL character", at: start) }
      // json-c would cut it there; half a pair is not a name.
      let name = try JSON(parsing: bytes[string.range], source: source, for: reading)
      patches.name(name, at: string.range)
      memberCounts[container.object] += 1
      position += 1
      return
    }
    memberCounts[container.object] += 1
    if watched?.object == container.object {
      let name = try nameOfMember()
      if watched?.seen.insert(ExactString(name)).inserted == false {
        throw failure("'\(name)' is given twice in one object", at: start)
      }
    }
    if names != nil {
      let name = try nameOfMember()
      if names![names!.count - 1].insert(ExactString(name)).inserted == false {
        patches.name(.string(name), isRepeated: true, at: string.range)
      }
    }
    position += 1
  }

  /// The text of the last string token.
  private func nameOfMember() throws -> String {
    try JSON(parsing: bytes[string.range], source: source, for: reading).stringValue ?? ""
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
    string = StringToken()
    let start = position
    position += 1
    if JSONPatches.isMark(bytes, at: position) { patches.doubleMark(at: position) }
    while position < bytes.count {
      switch bytes[position] {
      case UInt8(ascii: "\""):
        position += 1
        string.range = start..<position
        if string.loneSurrogates > 0 { patches.loneSurrogates(string.loneSurrogates, in: string.range) }
        return
      case UInt8(ascii: "\\"): try scanEscape()
      case 0..<0x20: throw failure("a control character inside a string is not escaped")
      default: position += 1
      }
    }
    throw failure("a string is not closed", at: start)
  }

  private mutating func scanEscape() throws {
    guard position + 1 < bytes.count else { throw failure("the text ends inside a string") }
    switch bytes[position + 1] {
    case UInt8(ascii: "u"): try scanCodePoint()
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
      UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
      position += 2
    default: throw failure("an unknown escape inside a string")
    }
  }

  /// A `\u` escape, or two that are a pair of surrogates.
  private mutating func scanCodePoint() throws {
    let start = position
    let unit = try scanCodeUnit()
    if unit == 0 { string.hasNUL = true }
    guard 0xD800...0xDFFF ~= unit else { return }
    let afterFirst = position
    if unit < 0xDC00, position + 1 < bytes.count, bytes[position] == UInt8(ascii: "\\"),
      bytes[position + 1] == UInt8(ascii: "u"), case let second = try scanCodeUnit(), 0xDC00...0xDFFF ~= second
    {
      let code = 0x1_0000 + (unit - 0xD800) << 10 + (second - 0xDC00)
      if 0xD800...0xDFFF ~= code & 0xFFFF { patches.codePoint(code, at: start..<position) }
      return
    }
    position = afterFirst
    if reading == .strict {
      let digits = String(decoding: bytes[start + 2..<afterFirst], as: UTF8.self)
      throw failure("half a surrogate pair inside a string: \\u\(digits) stands alone", at: start)
    }
    string.loneSurrogates += 1
    patches.codePoint(0xFFFD, at: start..<afterFirst)
  }

  private mutating func scanCodeUnit() throws -> UInt32 {
    let digits = bytes[min(position + 2, bytes.count)..<min(position + 6, bytes.count)]
    guard digits.count == 4, digits.allSatisfy(\.isHexadecimalDigit),
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
    // Python writes these for numbers that are not finite; JSON does not have them.
    for word: StaticString in ["NaN", "Infinity"] where position < bytes.count && bytes[position] == word.utf8Start[0] {
      try scanWord(word)
      guard reading != .strict, word.utf8Start[0] != UInt8(ascii: "N") || position == start + 3 else {
        throw failure("\(word) is no number that JSON knows", at: start)
      }
      return patches.number(bytes, at: start..<position)
    }
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

  private mutating func checkRange(of number: Range<Int>, isInteger: Bool) throws {
    if isInteger && number.count < 19 { return }  // At most 18 digits: fits whatever they are.
    let text = String(decoding: bytes[number], as: UTF8.self)
    let fits = isInteger ? Int(text) != nil : Double(text)?.isFinite == true
    if fits { return }
    guard reading != .strict else {
      throw failure("\(text.prefix(40)) does not fit in 64 bits", at: number.lowerBound)
    }
    patches.number(bytes, at: number)
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
