import Diagnostics
import JSON

/// Reads values of one kind from YAML and writes them into the canonical configuration.
///
/// Types compose: `.orAuto(.number(in: 0...9))`, `.list(of: .string)`, `.optional(.integer(in: 1...8))`. `decode` reads
/// the result of `encode`, so that the configuration in an artifact's manifest can be used again.
public struct ConfigurationType<Value: Sendable>: Sendable {
  /// The accepted values, worded to follow "must be": `a whole number from 1 to 8`.
  let expectation: String
  /// Any accepted value, from which the documentation is made.
  let specimen: Value
  let decode: @Sendable (YAMLNode) throws(Rejection) -> Value
  let encode: @Sendable (Value) -> JSON
}

/// A value that a type does not accept.
struct Rejection: Error {
  let node: YAMLNode
  let expectation: String
}

extension ConfigurationType {
  /// - Parameters:
  ///   - expectation: the accepted values, worded to follow "must be".
  ///   - specimen: any accepted value.
  ///   - decode: returns nil for a value that is not accepted.
  public init(
    _ expectation: String, specimen: Value, decode: @escaping @Sendable (YAMLNode) -> Value?,
    encode: @escaping @Sendable (Value) -> JSON
  ) {
    self.init(
      expectation: expectation, specimen: specimen,
      decode: { node throws(Rejection) in
        guard let value = decode(node) else { throw Rejection(node: node, expectation: expectation) }
        return value
      }, encode: encode)
  }
}

extension ConfigurationType<Int> {
  public static func integer(in range: ClosedRange<Int>) -> Self {
    let expectation =
      range.upperBound == .max
      ? "a whole number of at least \(range.lowerBound)"
      : "a whole number from \(range.lowerBound) to \(range.upperBound)"
    return Self(
      expectation, specimen: range.lowerBound,
      decode: { $0.scalar?.integer.flatMap { range.contains($0) ? $0 : nil } }, encode: { .integer($0) })
  }
}

extension ConfigurationType<Double> {
  public static func number(in range: ClosedRange<Double>) -> Self {
    Self(
      range.expectation, specimen: range.lowerBound,
      decode: { $0.scalar?.number.flatMap { range.contains($0) ? $0 : nil } }, encode: { .number($0) })
  }
}

extension ConfigurationType<Bool> {
  public static var boolean: Self {
    Self("true or false", specimen: false, decode: { $0.scalar?.boolean }, encode: { .bool($0) })
  }
}

extension ConfigurationType<String> {
  /// Any text; an unquoted number counts as the characters that it is written with.
  public static var string: Self {
    Self("a text", specimen: "", decode: { $0.isNull ? nil : $0.scalar?.text }, encode: { .string($0) })
  }

  /// A path of a file or folder.
  public static var path: Self {
    Self(
      "a path", specimen: ".", decode: { $0.isNull || $0.scalar?.text == "" ? nil : $0.scalar?.text },
      encode: { .string($0) })
  }
}

extension ConfigurationType<YAMLNode> {
  /// Any value, for another reader to read.
  public static var yaml: Self {
    Self("a value", specimen: .plain("", at: Place("documentation")), decode: { $0 }, encode: { $0.json })
  }
}

extension ConfigurationType where Value: CaseIterable & RawRepresentable, Value.RawValue == String {
  /// One of the words of an enumeration.
  public static func choice(_: Value.Type = Value.self) -> Self {
    let words = Value.allCases.map(\.rawValue)
    return Self(
      "one of \(words.joined(separator: ", "))", specimen: Value.allCases.first!,
      decode: { $0.isNull ? nil : $0.scalar.flatMap { Value(rawValue: $0.text) } }, encode: { .string($0.rawValue) })
  }
}

extension ConfigurationType {
  /// A value, or nil for the word `auto`: the program chooses, and its choice does not enter the key.
  public static func orAuto<Wrapped>(_ type: ConfigurationType<Wrapped>) -> Self where Value == Wrapped? {
    .orWord("auto", "auto", type) { $0.scalar?.text == "auto" }
  }

  /// A value, or none: `null` or nothing at all.
  public static func optional<Wrapped>(_ type: ConfigurationType<Wrapped>) -> Self where Value == Wrapped? {
    .orWord("nothing", .null, type) { $0.isNull }
  }

  private static func orWord<Wrapped>(
    _ word: String, _ encoded: JSON, _ type: ConfigurationType<Wrapped>,
    isWord: @escaping @Sendable (YAMLNode) -> Bool
  ) -> Self where Value == Wrapped? {
    let expectation = "\(type.expectation), or \(word)"
    return Self(
      expectation: expectation, specimen: nil,
      decode: { node throws(Rejection) in
        if isWord(node) { return nil }
        do throws(Rejection) {
          return try type.decode(node)
        } catch {
          throw Rejection(node: error.node, expectation: expectation)
        }
      }, encode: { $0.map(type.encode) ?? encoded })
  }

  /// A list of values; a single value need not stand in brackets.
  public static func list<Element>(
    of type: ConfigurationType<Element>, atLeast least: Int = 0
  ) -> Self where Value == [Element] {
    let expectation = "a list\(least == 0 ? "" : " of at least \(least)"), each \(type.expectation)"
    return Self(
      expectation: expectation, specimen: Array(repeating: type.specimen, count: least),
      decode: { node throws(Rejection) in
        let nodes = node.sequence ?? [node]
        guard nodes.count >= least, !node.isNull else { throw Rejection(node: node, expectation: expectation) }
        var values: [Element] = []
        for element in nodes { values.append(try type.decode(element)) }
        return values
      }, encode: { .array($0.map(type.encode)) })
  }

  /// Values with names, in the order in which they were written.
  ///
  /// The canonical form is a list of one-key mappings, since the keys of a JSON object have no order; both are read.
  public static func named<Element>(_ type: ConfigurationType<Element>) -> Self where Value == [Named<Element>] {
    let expectation = "a mapping from names, each to \(type.expectation)"
    return Self(
      expectation: expectation, specimen: [],
      decode: { node throws(Rejection) in
        var values: [Named<Element>] = []
        for part in node.sequence ?? [node] {
          guard let entries = part.mapping else { throw Rejection(node: part, expectation: expectation) }
          for entry in entries { values.append(Named(name: entry.key, value: try type.decode(entry.value))) }
        }
        guard Set(values.map(\.name)).count == values.count else {
          throw Rejection(node: node, expectation: "\(expectation), no name twice")
        }
        return values
      }, encode: { .array($0.map { .object([$0.name: type.encode($0.value)]) }) })
  }
}

/// A value that the user gave a name.
public struct Named<Value: Sendable>: Sendable {
  public let name: String
  public let value: Value

  public init(name: String, value: Value) {
    self.name = name
    self.value = value
  }
}

extension Named: Equatable where Value: Equatable {}

extension ClosedRange<Double> {
  /// Every number above zero except denormal ones, which some libraries make the processor treat as zero.
  public static var positive: Self { Double.leastNormalMagnitude...Double.greatestFiniteMagnitude }
  /// Zero and every number above it.
  public static var nonNegative: Self { 0...Double.greatestFiniteMagnitude }
  /// Numbers above zero, up to a bound.
  public static func positive(upTo bound: Double) -> Self { Double.leastNormalMagnitude...bound }

  fileprivate var expectation: String {
    let lower = lowerBound == .leastNormalMagnitude ? "above 0" : "of at least \(shown(lowerBound))"
    if upperBound == .greatestFiniteMagnitude { return "a number \(lower)" }
    return lowerBound == .leastNormalMagnitude
      ? "a number above 0 and at most \(shown(upperBound))"
      : "a number from \(shown(lowerBound)) to \(shown(upperBound))"
  }

  private func shown(_ value: Double) -> String {
    value == value.rounded() && abs(value) < 1e15 ? "\(Int(value))" : "\(value)"
  }
}
