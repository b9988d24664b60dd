import Diagnostics
import JSON

/// The settings of a stage, read from YAML and the command line.
///
/// `init(reading:)` first reads every key unconditionally, then checks conditions on several keys with
/// `reader.failure(key, message)`. A key that is read conditionally would be missing from the documentation.
public protocol StageConfiguration: Sendable {
  init(reading reader: inout ConfigurationReader) throws
}

/// A configuration with its forms for files.
public struct ResolvedConfiguration<Configuration: StageConfiguration>: Sendable {
  public let values: Configuration
  /// Keys that identify the result, with defaults filled in; `auto` stays `auto`.
  public let canonical: JSON
}

extension StageConfiguration {
  /// Reads a configuration and refuses keys that it does not know.
  public static func resolve(_ configuration: YAMLNode) throws -> ResolvedConfiguration<Self> {
    var reader = try ConfigurationReader(configuration)
    let values: Self
    do {
      values = try Self(reading: &reader)
    } catch let failure as Failure {
      // A misspelt required key is also a missing key; the message about the spelling helps more.
      if failure.status == .badConfiguration { try reader.refuseKeys(except: topLevelKeys) }
      throw failure
    }
    try reader.finish()
    return ResolvedConfiguration(values: values, canonical: reader.canonical)
  }

  /// Reads a file, if one is named, with the overrides of a command line.
  public static func resolve(
    file: String?, overrides: [ConfigurationOverride]
  ) throws -> ResolvedConfiguration<Self> {
    let document = try file.map(YAMLSource.read(file:)) ?? YAMLNode(.mapping([]), at: Place("command line"))
    return try resolve(try document.applying(overrides))
  }

  private static var topLevelKeys: [String] {
    documentation.map(\.topLevelKey).reduce(into: []) { keys, key in
      if keys.last != key { keys.append(key) }
    }
  }

  /// All keys, in the order in which they are read.
  public static var documentation: [OptionDocumentation] {
    var reader = ConfigurationReader(documenting: ())
    // Conditions on several keys may refuse the invented values, but every key has been read by then.
    _ = try? Self(reading: &reader)
    return reader.documentation
  }
}

/// A configuration key as documentation shows it.
public struct OptionDocumentation: Equatable, Sendable {
  /// With the sections before it: `optimiser.learning_rate`.
  public let key: String
  /// The accepted values, worded to follow "must be".
  public let expectation: String
  /// Nil for required keys.
  public let `default`: JSON?
  public let help: String

  fileprivate var topLevelKey: String { String(key.prefix { $0 != "." }) }
}

extension [OptionDocumentation] {
  /// Two lines per key, for a terminal.
  public var listing: String {
    map { option in
      let fallback = option.default.map { $0.isNull ? "" : "; default \($0.canonical)" } ?? "; required"
      return "  \(option.key)\n      \(option.help) (\(option.expectation)\(fallback))"
    }.joined(separator: "\n")
  }
}
