import Artifacts

/// Where the numbers of a report come from, as its reader needs to know it.
public struct ReportContext: Sendable {
  /// A fact about the run: `context length`, `256`.
  public struct Fact: Equatable, Sendable {
    public let name: String
    public let value: String

    public init(_ name: String, _ value: String) {
      self.name = name
      self.value = value
    }
  }

  /// An artifact that the run read.
  public struct Input: Equatable, Sendable {
    public let name: String
    public let kind: String
    public let key: String

    public init(name: String, kind: String, key: String) {
      self.name = name
      self.kind = kind
      self.key = key
    }
  }

  /// A text that the tokens were made from.
  public struct Source: Equatable, Sendable {
    public let name: String
    public let licence: String
    public let origin: String

    public init(name: String, licence: String, origin: String) {
      self.name = name
      self.licence = licence
      self.origin = origin
    }
  }

  public var facts: [Fact]
  public var inputs: [Input]
  public var sources: [Source]
  /// The stage's configuration with defaults filled in.
  public var configuration: JSON

  public init(facts: [Fact], inputs: [Input], sources: [Source], configuration: JSON) {
    self.facts = facts
    self.inputs = inputs
    self.sources = sources
    self.configuration = configuration
  }
}
