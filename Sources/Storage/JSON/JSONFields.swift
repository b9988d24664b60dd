import Diagnostics

/// Reads the members of a JSON object of fixed form. A missing member, one of another kind and an unknown one are errors.
public struct JSONFields {
  private let members: JSONObject
  private let source: String
  private let path: String
  private var asked: Set<String> = []

  /// - Parameters:
  ///   - source: names the file in errors.
  ///   - path: where in the file the object stands, as in `producer`; empty for the whole.
  public init(_ json: JSON, source: String, path: String = "") throws {
    self.source = source
    self.path = path
    guard case .object(let object) = json else {
      throw Failure(
        .badData, "\(path.isEmpty ? "the value" : path) must be an object, found \(json.kindName)", at: source)
    }
    members = object
  }

  public mutating func string(_ name: String) throws -> String {
    try required(name, "a string", \.stringValue)
  }

  public mutating func integer(_ name: String) throws -> Int { try required(name, "an integer", \.intValue) }

  /// An integer within a range.
  public mutating func size(_ name: String, in range: ClosedRange<Int>) throws -> Int {
    let value = try integer(name)
    guard range.contains(value) else {
      throw failure(name, "is \(value), expected \(range.lowerBound) to \(range.upperBound)")
    }
    return value
  }

  public mutating func number(_ name: String) throws -> Double { try required(name, "a number", \.doubleValue) }

  public mutating func boolean(_ name: String) throws -> Bool { try required(name, "a boolean", \.boolValue) }

  public mutating func array(_ name: String) throws -> [JSON] { try required(name, "an array", \.arrayValue) }

  public mutating func numbers(_ name: String) throws -> [Double] {
    try array(name).map { json in
      guard let number = json.doubleValue else { throw failure(name, "must hold numbers, found \(json.kindName)") }
      return number
    }
  }

  /// A string that must be one of a few.
  public mutating func choice<Choice: RawRepresentable<String> & CaseIterable>(_ name: String) throws -> Choice {
    let text = try string(name)
    guard let choice = Choice(rawValue: text) else {
      let names = Choice.allCases.map(\.rawValue).joined(separator: ", ")
      throw failure(name, "is \"\(text)\", expected one of \(names)")
    }
    return choice
  }

  /// An object whose members have free names.
  public mutating func object(_ name: String) throws -> JSONObject { try required(name, "an object", \.objectValue) }

  /// A member of any kind that must be there.
  public mutating func value(_ name: String) throws -> JSON { try required(name, "a value") { $0 } }

  /// A member that may be missing.
  public mutating func optional(_ name: String) -> JSON? {
    asked.insert(name)
    return members[name]
  }

  /// A string that may be missing.
  public mutating func optionalString(_ name: String) throws -> String? {
    try optional(name) == nil ? nil : string(name)
  }

  /// An integer that may be missing.
  public mutating func optionalInteger(_ name: String) throws -> Int? {
    try optional(name) == nil ? nil : integer(name)
  }

  public mutating func fields(_ name: String) throws -> JSONFields {
    try JSONFields(try value(name), source: source, path: place(name))
  }

  /// The members of an array of objects.
  public mutating func list(_ name: String) throws -> [JSONFields] {
    try array(name).enumerated().map { try JSONFields($1, source: source, path: "\(place(name))[\($0)]") }
  }

  /// The members that nothing asked for.
  public var remaining: [String] { members.keys.filter { !asked.contains($0) } }

  /// Refuses members that nothing asked for.
  public func finish() throws {
    if let unknown = remaining.first { throw failure(unknown, "is not known") }
  }

  /// A failure about one member.
  public func failure(_ name: String, _ message: String) -> Failure {
    Failure(.badData, "\(place(name)) \(message)", at: source)
  }

  private func place(_ name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }

  private mutating func required<Value>(
    _ name: String, _ kind: String, _ convert: (JSON) -> Value?
  ) throws -> Value {
    guard let member = optional(name) else { throw failure(name, "is missing") }
    guard let value = convert(member) else { throw failure(name, "must be \(kind), found \(member.kindName)") }
    return value
  }
}
