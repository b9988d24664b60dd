import JSON

/// Where the numbers of a report come from, as its reader needs to know it, whatever was evaluated.
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

  /// Data that were downloaded or collected: a text, a set of pictures.
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
  /// How the models and TempNets among the inputs were trained, as far as their artifacts tell.
  public var histories: [TrainingHistory]
  /// The stage's configuration with defaults filled in.
  public var configuration: JSON

  public init(
    facts: [Fact], inputs: [Input], sources: [Source], histories: [TrainingHistory] = [], configuration: JSON
  ) {
    self.facts = facts
    self.inputs = inputs
    self.sources = sources
    self.histories = histories
    self.configuration = configuration
  }
}

// MARK: - As members of a metrics file

extension ReportContext {
  /// The members of a metrics file that tell where its numbers come from, in the file's order.
  public var members: [(name: String, value: JSON)] {
    [
      ("inputs", .array(inputs.map(\.json))), ("sources", sourcesJSON),
      ("facts", .object(JSONObject(facts.map { ($0.name, .string($0.value)) }))), ("configuration", configuration),
    ]
  }

  public var sourcesJSON: JSON { .array(sources.map(\.json)) }
}

extension ReportContext.Input {
  fileprivate var json: JSON {
    ["name": .string(name), "kind": .string(kind), "key": .string(key), "bytes": bytes.map(JSON.integer) ?? .null]
  }
}

extension ReportContext.Source {
  public var json: JSON { ["name": .string(name), "licence": .string(licence), "source": .string(origin)] }

  /// Reads an element of `sources`. What the file lacks is "not stated".
  public init(_ json: JSON) {
    func text(_ member: String) -> String { json[member]?.stringValue ?? "not stated" }
    self.init(name: text("name"), licence: text("licence"), origin: text("source"))
  }
}
