import Diagnostics
import JSON
import LanguageEvaluation
import Reports
import TempNet
import TemperatureSettings

/// `records.json`: the facts about the model and the text of records that reports state.
public struct RecordsDescription: Sendable {
  static let file = "records.json"
  private static let schemaVersion = 1

  public var vocabulary: Int
  /// Of the hidden states.
  public var width: Int
  /// The number of the model's parameters.
  public var parameters: Int
  /// Of the windows over the test split: how many, how many tokens each reads, and how many each but the first predicts.
  public var windows, context, stride: Int
  /// The temperatures that the records answer, and the nodes of their tables.
  public var bounds: ClosedRange<Double>
  public var nodesPerOctave: Int
  /// Whether hidden states and the unembedding are kept.
  public var hasHidden: Bool
  /// SHA-256 of the ids of the test split as little-endian int32.
  public var labelDigest: String
  public var sources: [ReportContext.Source]
  public var splits: [EvaluationContext.Split]
  /// The configuration of the stage that made the model; empty for a model made elsewhere.
  public var model: JSON
}

extension RecordsDescription {
  /// - Parameter tasks: the facts of each task.
  func json(tasks: [JSON]) -> JSON {
    [
      "schema_version": .integer(Self.schemaVersion), "vocabulary": .integer(vocabulary), "width": .integer(width),
      "parameters": .integer(parameters), "windows": .integer(windows), "context": .integer(context),
      "stride": .integer(stride), "tau_min": .number(bounds.lowerBound), "tau_max": .number(bounds.upperBound),
      "nodes_per_octave": .integer(nodesPerOctave), "hidden": .bool(hasHidden), "labels_sha256": .string(labelDigest),
      "sources": .array(sources.map(\.json)),
      "splits": .array(
        splits.map { split in
          [
            "split": .string(split.name), "tokens": .integer(split.extent.tokens),
            "documents": .integer(split.extent.documents), "bytes": .integer(split.extent.bytes),
            "words": .integer(split.extent.words),
          ]
        }),
      "model": model, "tasks": .array(tasks),
    ]
  }

  /// - Returns: the description, and the facts of each task.
  static func read(_ json: JSON, source: String) throws -> (RecordsDescription, tasks: [JSONFields]) {
    var fields = try JSONFields(json, source: source)
    let version = try fields.integer("schema_version")
    guard version == schemaVersion else {
      throw Failure(.badData, "schema version \(version) is unknown; this program reads \(schemaVersion)", at: source)
    }
    let (low, high) = (try fields.number("tau_min"), try fields.number("tau_max"))
    let nodes = try fields.integer("nodes_per_octave")
    guard low > 0, low < high, high < 1e6, (1...64).contains(nodes) else {
      throw Failure(.badData, "states temperatures from \(low) to \(high), \(nodes) to the octave", at: source)
    }
    let description = RecordsDescription(
      vocabulary: try fields.integer("vocabulary"), width: try fields.integer("width"),
      parameters: try fields.integer("parameters"), windows: try fields.integer("windows"),
      context: try fields.integer("context"), stride: try fields.integer("stride"),
      bounds: low...high, nodesPerOctave: nodes, hasHidden: try fields.boolean("hidden"),
      labelDigest: try fields.string("labels_sha256"),
      sources: try fields.array("sources").map(ReportContext.Source.init),
      splits: try fields.list("splits").map { split in
        var split = split
        let read = EvaluationContext.Split(
          name: try split.string("split"),
          extent: TextExtent(
            tokens: try split.integer("tokens"), documents: try split.integer("documents"),
            bytes: try split.integer("bytes"), words: try split.integer("words")))
        try split.finish()
        return read
      }, model: try fields.value("model"))
    let tasks = try fields.list("tasks")
    try fields.finish()
    guard description.vocabulary > 1, description.width > 0 else {
      throw Failure(.badData, "states a vocabulary of \(description.vocabulary)", at: source)
    }
    return (description, tasks)
  }

  /// The temperatures of the tables.
  var grid: TemperatureGrid { RecordGrid.grid(for: bounds, nodesPerOctave: nodesPerOctave) }

  /// The extent of the test split.
  public var extent: TextExtent {
    get throws {
      guard let test = splits.first(where: { $0.name == "test" }) else {
        throw Failure(.badData, "states no split 'test'", at: Self.file)
      }
      return test.extent
    }
  }
}
