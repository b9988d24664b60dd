import Diagnostics

/// A configuration value of the command line, which overrides the value in the file.
public struct ConfigurationOverride: Sendable {
  /// The key and, before it, the sections that hold it.
  public let path: [String]
  public let value: YAMLNode

  public init(_ path: [String], _ value: YAMLNode) {
    self.path = path
    self.value = value
  }

  /// Reads an argument of `--set`: `optimiser.learning_rate=1e-3`, `corpus=[a.txt, b.txt]`.
  ///
  /// The value is YAML. An empty value means that the key has no value.
  public init(parsing argument: String) throws {
    let place = Place("--set \(argument)")
    // By scalars: a combining mark behind the sign makes another Character of it.
    let scalars = argument.unicodeScalars
    guard let equals = scalars.firstIndex(of: "=") else {
      throw Failure(.usage, "expected key=value", at: "\(place)")
    }
    let key = scalars[..<equals].split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    guard key.allSatisfy({ !$0.isEmpty }) else {
      throw Failure(
        .usage, "expected a key such as steps or optimiser.learning_rate before the equals sign", at: "\(place)")
    }
    let text = String(scalars[scalars.index(after: equals)...])
    let parsed = try Self.parse(text, at: place)
    if case .mapping(let entries) = parsed.content, entries.isEmpty, !text.utf8.contains(UInt8(ascii: "{")) {
      // YAML reads no document at all in an empty text and in a comment.
      guard text.unicodeScalars.allSatisfy(\.properties.isWhitespace) else {
        throw Failure(.badConfiguration, "the value is a YAML comment; quote it", at: "\(place)")
      }
      self.init(key, YAMLNode(.scalar(YAMLScalar("", isPlain: true)), at: place))
    } else {
      self.init(key, parsed.placed(at: place))
    }
  }

  private static func parse(_ text: String, at place: Place) throws -> YAMLNode {
    do {
      return try YAMLSource.parse(text, source: place.source)
    } catch let failure as Failure {
      throw Failure(failure.status, failure.message, at: "\(place)")  // A line number says nothing about an option.
    }
  }

  /// A number as it was typed, so that its key refuses a wrong number with the key's message and exit code; nil if the
  /// option was not given.
  public static func number(_ key: String, _ text: String?, from option: String) -> ConfigurationOverride? {
    guard let text else { return nil }
    let place = Place(option)
    // Without quotation marks an empty text, `null` or `~` would stand for no value.
    let isNull = YAMLScalar(text, isPlain: true).isNull
    return ConfigurationOverride([key], isNull ? .quoted(text, at: place) : .plain(text, at: place))
  }

  /// The value of an option such as `--reproducible`; nil if the option was not given.
  public static func option(_ key: String, _ value: Bool?, from option: String) -> ConfigurationOverride? {
    value.map { ConfigurationOverride([key], .plain("\($0)", at: Place(option))) }
  }

  /// A text, which is never taken for a number or a list.
  public static func option(_ key: String, _ value: String?, from option: String) -> ConfigurationOverride? {
    value.map { ConfigurationOverride([key], .quoted($0, at: Place(option))) }
  }

  /// A text under a name in a section, for options such as `--policy NAME=SPEC`.
  public static func entry(
    of section: String, _ name: String, _ value: String, from option: String
  ) -> ConfigurationOverride {
    ConfigurationOverride([section, name], .quoted(value, at: Place(option)))
  }

  /// Refuses two entries of one name in any sections, because otherwise one of two options would be ignored.
  public static func checkNames(of entries: [ConfigurationOverride]) throws {
    var places: [String: Place] = [:]
    for entry in entries {
      let (name, place) = (entry.path[entry.path.count - 1], entry.value.place)
      if let first = places.updateValue(place, forKey: name) {
        throw Failure(.badConfiguration, "the name '\(name)' is taken by \(first)", at: "\(place)")
      }
    }
  }

  /// The values of an option that may be given several times; nil where it was not given.
  public static func option(_ key: String, _ values: [String], from option: String) -> ConfigurationOverride? {
    guard !values.isEmpty else { return nil }
    let place = Place(option)
    return ConfigurationOverride([key], YAMLNode(.sequence(values.map { .quoted($0, at: place) }), at: place))
  }
}

extension YAMLNode {
  static func plain(_ text: String, at place: Place) -> YAMLNode {
    YAMLNode(.scalar(YAMLScalar(text, isPlain: true)), at: place)
  }

  static func quoted(_ text: String, at place: Place) -> YAMLNode {
    YAMLNode(.scalar(YAMLScalar(text, isPlain: false)), at: place)
  }

  /// The same value with one place for all of it: a line number says nothing about an option.
  fileprivate func placed(at place: Place) -> YAMLNode {
    switch content {
    case .scalar: YAMLNode(content, at: place)
    case .sequence(let nodes): YAMLNode(.sequence(nodes.map { $0.placed(at: place) }), at: place)
    case .mapping(let entries):
      YAMLNode(.mapping(entries.map { YAMLEntry($0.key, at: place, $0.value.placed(at: place)) }), at: place)
    }
  }

  /// This mapping with the overrides applied; of two overrides of one key the last counts.
  public func applying(_ overrides: [ConfigurationOverride]) throws -> YAMLNode {
    // A fault of the whole file is not blamed on the options.
    _ = try entries(of: "the configuration")
    return try overrides.reduce(self) { try $0.setting($1.path[...], to: $1.value) }
  }

  private func setting(_ path: ArraySlice<String>, to value: YAMLNode) throws -> YAMLNode {
    guard let key = path.first else { return value }
    guard var entries = isNull ? [] : mapping else {
      throw Failure(
        .badConfiguration, "\(abridged) at \(place) holds no keys, so '\(key)' cannot be set in it",
        at: "\(value.place)")
    }
    let index = entries.firstIndex { $0.key == key }
    let old = index.map { entries[$0].value } ?? YAMLNode(.mapping([]), at: value.place)
    let entry = YAMLEntry(key, at: value.place, try old.setting(path.dropFirst(), to: value))
    if let index { entries[index] = entry } else { entries.append(entry) }
    return YAMLNode(.mapping(entries), at: place)
  }
}
