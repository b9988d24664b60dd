import JSON

/// Named numbers in a fixed order.
public struct Metrics: Equatable, Sendable, ExpressibleByDictionaryLiteral {
  public struct Entry: Equatable, Sendable {
    public let name: String
    public let value: Double
  }
  public private(set) var entries: [Entry]

  public init(_ entries: [(name: String, value: Double)] = []) {
    self.entries = entries.map { Entry(name: $0.name, value: $0.value) }
  }

  public init(dictionaryLiteral elements: (String, Double)...) {
    self.init(elements.map { (name: $0.0, value: $0.1) })
  }

  public subscript(name: String) -> Double? { entries.first { $0.name == name }?.value }

  public mutating func append(_ name: String, _ value: Double) { entries.append(Entry(name: name, value: value)) }

  /// In the same order; values that are not finite become null.
  public var json: JSON { .object(JSONObject(entries.map { ($0.name, .number($0.value)) })) }

  init?(_ json: JSON) {
    guard let object = json.objectValue else { return nil }
    self.init(object.map { (name: $0.key, value: $0.value.doubleValue ?? .nan) })
  }
}
