import JSON
import Reports

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
    /// Of all its files; nil where that does not matter.
    public let bytes: Int?

    public init(name: String, kind: String, key: String, bytes: Int?) {
      self.name = name
      self.kind = kind
      self.key = key
      self.bytes = bytes
    }
  }

  /// One part of the text: `train`.
  public struct Split: Equatable, Sendable {
    public let name: String
    public let extent: TextExtent

    public init(name: String, extent: TextExtent) {
      self.name = name
      self.extent = extent
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
  public var splits: [Split]
  /// How the model and the TempNets were trained, as far as their artifacts tell.
  public var histories: [TrainingHistory]
  /// The name of the policy that the report is about.
  public var leading: String
  public var passage: Passage?
  /// The stage's configuration with defaults filled in.
  public var configuration: JSON

  public init(
    facts: [Fact], inputs: [Input], sources: [Source], splits: [Split] = [], histories: [TrainingHistory] = [],
    leading: String, passage: Passage? = nil, configuration: JSON
  ) {
    self.facts = facts
    self.inputs = inputs
    self.sources = sources
    self.splits = splits
    self.histories = histories
    self.leading = leading
    self.passage = passage
    self.configuration = configuration
  }
}
