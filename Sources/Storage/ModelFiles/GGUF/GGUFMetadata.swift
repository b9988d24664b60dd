import Diagnostics
import Files

/// The metadata of a GGUF file: values by key. Failures name the file.
public struct GGUFMetadata: Sendable {
  /// In the order of the file.
  public let keys: [String]
  private let values: [[UInt8]: GGUFValue]
  private let file: MappedFile

  init(reading cursor: inout GGUFCursor, count: Int) throws {
    var keys: [String] = []
    var values: [[UInt8]: GGUFValue] = [:]
    for index in 0..<count {
      let key = try cursor.name("the key of metadata entry \(index)")
      let value = try cursor.value("\"\(key)\"")
      guard values.updateValue(value, forKey: Array(key.utf8)) == nil else {
        throw Failure(.badData, "holds the metadata \"\(key)\" twice", at: cursor.file.path)
      }
      keys.append(key)
    }
    self.keys = keys
    self.values = values
    file = cursor.file
  }

  public var path: String { file.path }

  public subscript(key: String) -> GGUFValue? { values[Array(key.utf8)] }

  /// A failure about one entry.
  public func failure(_ key: String, _ message: String) -> Failure {
    Failure(.badData, "\(key) \(message)", at: path)
  }

  public func string(ifPresent key: String) throws -> String? {
    try present(key, "a string") { if case .string(let place) = $0 { try text(place, key) } else { nil } }
  }
  public func integer(ifPresent key: String) throws -> Int? {
    try present(key, "an integer") { if case .integer(let value) = $0 { value } else { nil } }
  }
  public func number(ifPresent key: String) throws -> Double? {
    try present(key, "a number") {
      switch $0 {
      case .number(let value): value
      case .integer(let value): Double(value)
      default: nil
      }
    }
  }
  public func bool(ifPresent key: String) throws -> Bool? {
    try present(key, "a boolean") { if case .bool(let value) = $0 { value } else { nil } }
  }
  public func strings(ifPresent key: String) throws -> [String]? {
    try present(key, "a list of strings") { value in
      guard case .array(let array) = value, array.kind == .string else { return nil }
      var cursor = GGUFCursor(file: file, offset: array.bytes.lowerBound)
      return try (0..<array.count).map { try text(cursor.string("element \($0)"), "\(key)[\($0)]") }
    }
  }
  public func integers(ifPresent key: String) throws -> [Int]? {
    try list(key, "a list of integers") { if case .integer(let number) = $0 { number } else { nil } }
  }
  public func numbers(ifPresent key: String) throws -> [Double]? {
    try list(key, "a list of numbers") { if case .number(let number) = $0 { number } else { nil } }
  }

  public func string(_ key: String) throws -> String { try required(key, string(ifPresent: key)) }
  public func integer(_ key: String) throws -> Int { try required(key, integer(ifPresent: key)) }
  public func strings(_ key: String) throws -> [String] { try required(key, strings(ifPresent: key)) }

  private func required<Value>(_ key: String, _ value: Value?) throws -> Value {
    guard let value else { throw failure(key, "is missing") }
    return value
  }

  private func present<Value>(
    _ key: String, _ kind: String, _ convert: (GGUFValue) throws -> Value?
  ) throws -> Value? {
    guard let entry = self[key] else { return nil }
    guard let value = try convert(entry) else { throw failure(key, "must be \(kind), found \(entry.kindName)") }
    return value
  }

  private func list<Element>(
    _ key: String, _ kind: String, _ convert: (GGUFValue) -> Element?
  ) throws -> [Element]? {
    try present(key, kind) { value in
      guard case .array(let array) = value, array.kind.size != nil else { return nil }
      var cursor = GGUFCursor(file: file, offset: array.bytes.lowerBound)
      var elements: [Element] = []
      elements.reserveCapacity(array.count)
      for index in 0..<array.count {
        guard let element = convert(try cursor.value(of: array.kind, "\(key)[\(index)]", depth: 0)) else { return nil }
        elements.append(element)
      }
      return elements
    }
  }

  private func text(_ place: Range<Int>, _ what: String) throws -> String {
    guard let text = String(validating: file.bytes[place], as: UTF8.self) else {
      throw failure(what, "is not UTF-8")
    }
    return text
  }
}
