/// Short forms of `ConfigurationReader.value` for the usual types.
///
/// Where `default` is nil the key is required.
extension ConfigurationReader {
  public mutating func integer(
    _ key: String, default: Int? = nil, in range: ClosedRange<Int>, identity: Bool = true, help: String
  ) throws -> Int {
    try value(key, as: .integer(in: range), default: `default`, identity: identity, help: help)
  }

  public mutating func optionalInteger(
    _ key: String, in range: ClosedRange<Int>, identity: Bool = true, help: String
  ) throws -> Int? {
    try value(key, as: .optional(.integer(in: range)), default: .some(nil), identity: identity, help: help)
  }

  /// A whole number, or nil for `auto`, which stays `auto` in the canonical configuration.
  public mutating func integerOrAuto(
    _ key: String, in range: ClosedRange<Int>, identity: Bool = true, help: String
  ) throws -> Int? {
    try value(key, as: .orAuto(.integer(in: range)), default: .some(nil), identity: identity, help: help)
  }

  public mutating func number(
    _ key: String, default: Double? = nil, in range: ClosedRange<Double>, identity: Bool = true, help: String
  ) throws -> Double {
    try value(key, as: .number(in: range), default: `default`, identity: identity, help: help)
  }

  public mutating func optionalNumber(
    _ key: String, in range: ClosedRange<Double>, identity: Bool = true, help: String
  ) throws -> Double? {
    try value(key, as: .optional(.number(in: range)), default: .some(nil), identity: identity, help: help)
  }

  /// A number, or nil for `auto`, which stays `auto` in the canonical configuration.
  public mutating func numberOrAuto(
    _ key: String, in range: ClosedRange<Double>, identity: Bool = true, help: String
  ) throws -> Double? {
    try value(key, as: .orAuto(.number(in: range)), default: .some(nil), identity: identity, help: help)
  }

  public mutating func boolean(
    _ key: String, default: Bool? = nil, identity: Bool = true, help: String
  ) throws -> Bool {
    try value(key, as: .boolean, default: `default`, identity: identity, help: help)
  }

  public mutating func string(
    _ key: String, default: String? = nil, identity: Bool = true, help: String
  ) throws -> String {
    try value(key, as: .string, default: `default`, identity: identity, help: help)
  }

  public mutating func optionalString(_ key: String, identity: Bool = true, help: String) throws -> String? {
    try value(key, as: .optional(.string), default: .some(nil), identity: identity, help: help)
  }

  public mutating func strings(
    _ key: String, default: [String]? = nil, identity: Bool = true, help: String
  ) throws -> [String] {
    try value(key, as: .list(of: .string), default: `default`, identity: identity, help: help)
  }

  public mutating func choice<Choice>(
    _ key: String, default: Choice? = nil, identity: Bool = true, help: String
  ) throws -> Choice where Choice: CaseIterable & RawRepresentable & Sendable, Choice.RawValue == String {
    try value(key, as: .choice(), default: `default`, identity: identity, help: help)
  }

  /// A file that the stage reads. Not the path but the digest of the content enters the key, through
  /// `StageDescription.rawInputs`.
  public mutating func optionalPath(_ key: String, help: String) throws -> String? {
    try value(key, as: .optional(.path), default: .some(nil), identity: false, help: help)
  }

  /// See ``optionalPath(_:help:)``.
  public mutating func paths(_ key: String, default: [String]? = nil, help: String) throws -> [String] {
    try value(key, as: .list(of: .path), default: `default`, identity: false, help: help)
  }

  /// The number of threads, nil for `auto`; read by every stage that computes. Under the runner it is the stage's
  /// `cores`.
  public mutating func threads() throws -> Int? {
    try integerOrAuto(Self.threadsKey, in: 1...1024, identity: false, help: "threads to compute with")
  }

  /// The key that ``threads()`` reads.
  public static let threadsKey = "threads"
}
