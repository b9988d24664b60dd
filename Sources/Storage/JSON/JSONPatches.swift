/// Replacements of parts of a text before json-c reads it.
///
/// Values that json-c cannot hold become strings that begin with a mark, U+0001, and a letter that says what they are.
/// A string of the text that begins with the mark gets a second one, so that none is taken for another.
struct JSONPatches {
  private static let mark = UInt8(1)
  private static let escapedMark: StaticString = "\\u0001"

  private enum Kind {
    static let number = UInt8(ascii: "N")
    static let loneSurrogates = UInt8(ascii: "S")
    static let name = UInt8(ascii: "M")
  }

  private var patches: [(range: Range<Int>, bytes: [UInt8])] = []
  /// Names of members that json-c must not see, in the order of the text, and why their values are unusable.
  private var names: [(name: String, problem: JSON.Unusable?)] = []

  var isEmpty: Bool { patches.isEmpty }

  // MARK: While the text is scanned

  /// Whether the string that begins here begins with the mark, in its escaped form.
  static func isMark(_ bytes: UnsafeBufferPointer<UInt8>, at start: Int) -> Bool {
    start < bytes.count && bytes[start] == UInt8(ascii: "\\") && bytes.count - start >= escapedMark.utf8CodeUnitCount
      && escapedMark.withUTF8Buffer { $0.elementsEqual(bytes[start..<start + $0.count]) }
  }

  mutating func doubleMark(at start: Int) { patches.append((start..<start, Self.escaped([]))) }

  mutating func codePoint(_ code: UInt32, at range: Range<Int>) {
    patches.append((range, Array(String(Unicode.Scalar(code)!).utf8)))
  }

  mutating func number(_ bytes: UnsafeBufferPointer<UInt8>, at range: Range<Int>) {
    patches.append((range, Self.marked(Kind.number, Array(bytes[range]))))
  }

  /// Puts the mark and the count before a string, whose halves of pairs are patched already.
  mutating func loneSurrogates(_ count: Int, in string: Range<Int>) {
    let start = string.lowerBound + 1
    let first = patches.lastIndex { $0.range.lowerBound < string.lowerBound }.map { $0 + 1 } ?? 0
    // The text after the count keeps its own mark single: the count comes first.
    if patches[first].range == start..<start { patches.remove(at: first) }
    patches.insert((start..<start, Self.escaped([Kind.loneSurrogates] + "\(count):".utf8)), at: first)
  }

  /// Gives a member a name that no other has, in place of all patches inside its own.
  mutating func name(_ name: JSON, isRepeated: Bool = false, at string: Range<Int>) {
    while let last = patches.last, last.range.lowerBound >= string.lowerBound { patches.removeLast() }
    patches.append((string, Self.marked(Kind.name, Array(String(names.count).utf8))))
    switch name {
    case .unusable(.loneSurrogates(let count, let replaced)):
      names.append((replaced, .loneSurrogates(count: count, replaced: replaced)))
    default: names.append((name.stringValue ?? "", isRepeated ? .repeated : nil))
    }
  }

  private static func escaped(_ content: [UInt8]) -> [UInt8] {
    escapedMark.withUTF8Buffer { Array($0) } + content
  }

  private static func marked(_ kind: UInt8, _ content: [UInt8]) -> [UInt8] {
    [UInt8(ascii: "\"")] + escaped([kind] + content) + [UInt8(ascii: "\"")]
  }

  /// The text with all patches.
  func applied(to bytes: UnsafeBufferPointer<UInt8>) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(bytes.count + patches.reduce(0) { $0 + $1.bytes.count })
    var start = 0
    for patch in patches {
      result += bytes[start..<patch.range.lowerBound]
      result += patch.bytes
      start = patch.range.upperBound
    }
    return result + bytes[start...]
  }

  // MARK: When json-c has read it

  /// The value of a string in json-c's tree.
  func value(of string: UnsafeRawBufferPointer) -> JSON {
    guard string.first == Self.mark, string.count > 1 else { return .string(String(decoding: string, as: UTF8.self)) }
    let rest = UnsafeRawBufferPointer(rebasing: string.dropFirst(2))
    switch string[1] {
    case Kind.number: return .unusable(.number(String(decoding: rest, as: UTF8.self)))
    case Kind.loneSurrogates:
      let colon = rest.firstIndex(of: UInt8(ascii: ":"))!
      return .unusable(
        .loneSurrogates(
          count: Int(String(decoding: rest[..<colon], as: UTF8.self))!,
          replaced: String(decoding: rest[(colon + 1)...], as: UTF8.self)))
    default: return .string(String(decoding: string.dropFirst(), as: UTF8.self))
    }
  }

  /// The original of a name in json-c's tree, and why its member is unusable.
  func member(_ name: String) -> (name: String, problem: JSON.Unusable?) {
    guard name.utf8.first == Self.mark, name.utf8.count > 1 else { return (name, nil) }
    let rest = name.unicodeScalars.dropFirst()
    guard rest.first == Unicode.Scalar(Kind.name), let index = Int(String(rest.dropFirst())) else {
      return (String(rest), nil)
    }
    return names[index]
  }
}
