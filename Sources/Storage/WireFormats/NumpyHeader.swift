import Diagnostics

/// The header of a `.npy` file of version 1.0, 2.0 or 3.0, with every length checked.
public struct NumpyHeader: Equatable, Sendable {
  /// The type of the elements as NumPy spells it: `<f4`, `|u1`, `<i8`.
  public let type: String
  public let shape: [Int]
  /// Whether the first index varies fastest.
  public let isColumnMajor: Bool
  /// Where the elements begin, in bytes from the start of the file.
  public let offset: Int

  /// - Parameters:
  ///   - bytes: the file, or its beginning with the whole header.
  ///   - source: names the file in failures.
  /// - Throws: `Failure(.badData)` for anything but such a header.
  public init(_ bytes: UnsafeRawBufferPointer, source: String) throws {
    func failure(_ message: String) -> Failure { Failure(.badData, "is no .npy file: \(message)", at: source) }
    guard bytes.count >= 12, bytes.starts(with: [0x93] + Array("NUMPY".utf8)) else {
      throw failure("it does not begin like one")
    }
    let isShort = bytes[6] == 1
    guard 1...3 ~= bytes[6], bytes[7] == 0 else { throw failure("version \(bytes[6]).\(bytes[7]) is not known") }
    let start = isShort ? 10 : 12
    let length = (8..<start).reversed().reduce(0) { $0 << 8 | Int(bytes[$1]) }
    guard length <= bytes.count - start, length <= 1 << 16 else {
      throw failure("its header of \(length) bytes goes beyond its end")
    }
    var scanner = NumpyHeaderScanner(bytes[start..<start + length])
    guard let fields = scanner.fields() else {
      throw failure("its header is not a dictionary of descr, order and shape")
    }
    (type, isColumnMajor, shape) = fields
    offset = start + length
  }

  /// The number of elements.
  ///
  /// - Throws: `Failure(.badData)` where it does not fit in 64 bits.
  public func count(source: String) throws -> Int {
    var count = 1
    for size in shape {
      let (product, overflow) = count.multipliedReportingOverflow(by: size)
      guard !overflow else { throw Failure(.badData, "its shape \(shape) is too large", at: source) }
      count = product
    }
    return count
  }
}

/// Reads `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }`, members in any order.
private struct NumpyHeaderScanner {
  private var rest: [UInt8].SubSequence

  init(_ bytes: Slice<UnsafeRawBufferPointer>) { rest = Array(bytes)[...] }

  mutating func fields() -> (String, Bool, [Int])? {
    var (type, order, shape): (String?, Bool?, [Int]?)
    guard take("{") else { return nil }
    while !take("}") {
      guard let name = text(), take(":") else { return nil }
      switch name {
      case "descr" where type == nil: type = text()
      case "fortran_order" where order == nil: order = take("True") ? true : take("False") ? false : nil
      case "shape" where shape == nil: shape = sizes()
      default: return nil
      }
      guard take(",") || rest.first == UInt8(ascii: "}") else { return nil }
    }
    skipBlanks()
    guard rest.isEmpty, let type, let order, let shape else { return nil }
    return (type, order, shape)
  }

  private mutating func skipBlanks() { rest = rest.drop { $0 == 0x20 || $0 == 0x0A } }

  private mutating func take(_ word: String) -> Bool {
    skipBlanks()
    guard rest.starts(with: word.utf8) else { return false }
    rest = rest.dropFirst(word.utf8.count)
    skipBlanks()
    return true
  }

  private mutating func text() -> String? {
    skipBlanks()
    guard let quote = rest.first, quote == UInt8(ascii: "'") || quote == UInt8(ascii: "\"") else { return nil }
    rest = rest.dropFirst()
    guard let end = rest.firstIndex(of: quote) else { return nil }
    defer { rest = rest[(end + 1)...] }
    return String(validating: rest[..<end], as: UTF8.self)
  }

  private mutating func sizes() -> [Int]? {
    guard take("(") else { return nil }
    var sizes: [Int] = []
    while !take(")") {
      skipBlanks()
      let digits = rest.prefix { UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }
      guard let size = Int(String(decoding: digits, as: UTF8.self)), sizes.count < 32 else { return nil }
      rest = rest.dropFirst(digits.count)
      sizes.append(size)
      guard take(",") || rest.first == UInt8(ascii: ")") else { return nil }
    }
    return sizes
  }
}
