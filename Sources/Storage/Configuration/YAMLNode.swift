import Diagnostics
import JSON

/// The place of a value: a file and a line, or an option of the command line.
public struct Place: Equatable, Sendable, CustomStringConvertible {
  public let source: String
  public let line: Int?

  public init(_ source: String, line: Int? = nil) {
    self.source = source
    self.line = line
  }

  /// Whether it is an option of the command line.
  var isOption: Bool { line == nil && source.hasPrefix("--") }

  public var description: String { line.map { "\(source), line \($0)" } ?? source }
}

/// One value of a YAML document, with its place.
public struct YAMLNode: Sendable {
  public enum Content: Sendable {
    case scalar(YAMLScalar)
    case sequence([YAMLNode])
    case mapping([YAMLEntry])
  }

  public let content: Content
  public let place: Place

  public init(_ content: Content, at place: Place) {
    self.content = content
    self.place = place
  }

  public var scalar: YAMLScalar? { if case .scalar(let scalar) = content { scalar } else { nil } }
  public var sequence: [YAMLNode]? { if case .sequence(let nodes) = content { nodes } else { nil } }
  public var mapping: [YAMLEntry]? { if case .mapping(let entries) = content { entries } else { nil } }
  public var isNull: Bool { scalar?.isNull ?? false }

  /// The value of a key; nil if there is none, or if this is not a mapping.
  public subscript(key: String) -> YAMLNode? { mapping?.first { $0.key == key }?.value }

  /// The entries of a configuration or of a section; an empty value has none.
  ///
  /// - Parameter what: the noun in the message.
  func entries(of what: String) throws -> [YAMLEntry] {
    guard let entries = isNull ? [] : mapping else {
      throw Failure(
        .badConfiguration, "\(what) must be a mapping of keys to values, not \(abridged)", at: "\(place)")
    }
    return entries
  }

  /// The value without its places.
  public var json: JSON {
    switch content {
    case .scalar(let scalar): scalar.json
    case .sequence(let nodes): .array(nodes.map(\.json))
    case .mapping(let entries): .object(JSONObject(entries.map { ($0.key, $0.value.json) }))
    }
  }

  /// The value for an error message: its text where it is short, otherwise its kind.
  public var abridged: String {
    switch content {
    case .scalar(let scalar) where scalar.isNull: "nothing"
    case .scalar(let scalar) where scalar.text.count <= 60: "'\(scalar.text)'"
    case .scalar(let scalar): "'\(scalar.text.prefix(57))...'"
    case .sequence(let nodes): "a list of \(nodes.count)"
    case .mapping: "a mapping"
    }
  }
}

/// A key of a mapping and its value, in the order of the document.
public struct YAMLEntry: Sendable {
  public let key: String
  /// The place of the key.
  public let place: Place
  public let value: YAMLNode

  public init(_ key: String, at place: Place, _ value: YAMLNode) {
    self.key = key
    self.place = place
    self.value = value
  }
}
