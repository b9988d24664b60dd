import Artifacts
import Configuration
import Pairs

/// The settings of `tempnet-retrieve`.
public struct RetrieveConfiguration: StageConfiguration {
  public var captions: CaptionChoice
  /// Whether equal captions count once, and equal pictures too.
  public var isMerged: Bool
  /// Bounds of single and exact temperatures, in multiples of the model's own.
  public var tauMin: Double
  public var tauMax: Double
  /// Nil for the logarithm of the number of candidates, less 3 nats.
  public var rho: Double?
  /// The largest difference in recall that counts as equivalence, a share of 1.
  public var margin: Double
  public var resamples: Int
  public var confidence: Double
  public var seed: Int
  public var pictures: PictureChoice
  /// Queries of each direction whose neighbours the report shows.
  public var examples: Int
  /// Neighbours of each of these queries.
  public var neighbours: Int
  public var threads: Int?

  public init(reading reader: inout ConfigurationReader) throws {
    captions = try reader.choice(
      "captions", default: .all, help: "which captions take part: all, or each picture's first, its title")
    isMerged = try reader.boolean(
      "merge_equal", default: false,
      help: "whether equal captions, and equal pictures, take part once; otherwise each is a candidate")
    tauMin = try reader.number(
      "tau_min", default: 0.1, in: 1e-4...1e4,
      help: "least single or exact temperature, a multiple of the model's own")
    tauMax = try reader.number("tau_max", default: 10, in: 1e-4...1e4, help: "greatest one, likewise")
    rho = try reader.numberOrAuto(
      "rho", in: .nonNegative,
      help: "divergence budget of exact temperatures in nats; auto is 3 below the logarithm of the candidates")
    margin = try reader.number(
      "margin", default: 0.01, in: 1e-6...1, help: "largest difference in recall that counts as none, a share of 1")
    (resamples, confidence, seed) = try reader.section("bootstrap") { reader in
      (
        try reader.integer("resamples", default: 4000, in: 100...1_000_000, help: "how many resamples"),
        try reader.number("confidence", default: 0.95, in: 0.6...0.999, help: "share inside an interval"),
        try reader.integer("seed", default: 0, in: 0...Int.max, help: "of the draws")
      )
    }
    (pictures, examples, neighbours) = try reader.section("report") { reader in
      (
        try reader.choice(
          "pictures", default: .free, help: "which pictures the report shows: free are those whose licence allows it"),
        try reader.integer(
          "examples", default: 6, in: 0...100, help: "queries of each direction and test with their neighbours"),
        try reader.integer("neighbours", default: 5, in: 1...50, help: "neighbours of each")
      )
    }
    threads = try reader.threads()
    if tauMin >= tauMax { throw reader.failure("tau_max", with: ["tau_min"], "must be above tau_min") }
  }
}

/// Retrieval between the pictures and captions of every test.
public enum Retrieve: StageDescription {
  public static let name = "retrieve"
  public static let summary = "Measures retrieval, zero-shot classification and calibration, and compares losses."
  public static let version = 2
  public static let output = ArtifactKind.retrieval
  public static let inputs = [
    StageInput("embeddings", .embeddings, isRepeated: true),
    StageInput("tempnet", .tempnet, or: [.dualEncoder], isRequired: false, isRepeated: true),
    StageInput("pairs", .pairs, isRequired: false),
  ]
  public typealias Configuration = RetrieveConfiguration

  /// One model's embeddings twice, as read and as chosen; scores are computed in tiles.
  public static func memory(
    _ configuration: RetrieveConfiguration, inputs: [String: [PlannedInput]]
  ) -> MemoryEstimate? {
    let embeddings = inputs["embeddings"] ?? []
    let largest = embeddings.compactMap(\.bytes).max() ?? 0
    return MemoryEstimate(
      MemoryEstimate.program + 2 * largest,
      beside: embeddings.contains { $0.bytes == nil } ? ["largest embeddings"] : [])
  }
}
