import Diagnostics

/// Everything about a TempNet of embeddings that its weights do not say: they give other temperatures under other bounds.
public struct EmbeddingTempNetSettings: Equatable, Sendable {
  /// How the network is built.
  public enum Form: String, CaseIterable, Sendable {
    /// The published one (`TempGenerator`): products with prototypes, pooled.
    case prototypes
    /// Two linear layers with GELU between them. It tells neighbouring embeddings apart, which the published form hardly
    /// does: the entries of a unit row are small, and a sigmoid takes them all for nearly 0.
    case layers

    /// The choices in one phrase, for the help of a setting.
    public static let help = "prototypes, as published; or two linear layers"
  }

  public var form: Form
  /// The width of the embeddings.
  public var width: Int
  /// The number of prototypes, or of hidden units between two layers.
  public var units: Int
  /// The lower bound of the temperature.
  public var tauMin: Double
  /// The upper bound of the temperature.
  public var tauMax: Double
  /// The divergence budget of the robust loss, in nats, that the network was trained with.
  public var rho: Double
  /// The share of hidden units left out at random in training.
  public var dropout: Double

  /// The defaults are the published values.
  public init(
    form: Form = .prototypes, width: Int, units: Int = 256, tauMin: Double, tauMax: Double, rho: Double,
    dropout: Double = 0.5
  ) {
    precondition(width > 0 && units > 0 && 0 < tauMin && tauMin < tauMax && (0..<1).contains(dropout))
    (self.form, self.width, self.units) = (form, width, units)
    (self.tauMin, self.tauMax, self.rho, self.dropout) = (tauMin, tauMax, rho, dropout)
  }

  public var bounds: ClosedRange<Double> { tauMin...tauMax }
}

extension EmbeddingTempNetSettings {
  static let formatVersion = "1"

  /// The settings as the strings that a safetensors file carries beside the weights.
  public var metadata: [String: String] {
    [
      "format_version": Self.formatVersion, "input": "embedding", "form": form.rawValue, "width": "\(width)",
      "units": "\(units)", "tau_min": "\(tauMin)", "tau_max": "\(tauMax)", "rho": "\(rho)", "dropout": "\(dropout)",
    ]
  }

  /// Reads what `metadata` wrote.
  ///
  /// - Throws: `Failure(.badData)` that names `path` and the entry at fault.
  public init(metadata: [String: String], path: String) throws {
    let reader = MetadataReader(metadata: metadata, path: path)
    let version = try reader.text("format_version")
    guard version == Self.formatVersion else {
      throw reader.failure("format_version", "is \(version); this program reads \(Self.formatVersion)")
    }
    guard try reader.text("input") == "embedding" else {
      throw reader.failure("input", "is \(try reader.text("input")): this TempNet reads no embeddings")
    }
    guard let form = Form(rawValue: try reader.text("form")) else {
      throw reader.failure("form", "is not \(Form.allCases.map(\.rawValue).joined(separator: " or "))")
    }
    let tauMin = try reader.number("tau_min", where: { $0 > 0 }, "above 0")
    self.init(
      form: form, width: try reader.integer("width", from: 1), units: try reader.integer("units", from: 1),
      tauMin: tauMin, tauMax: try reader.number("tau_max", where: { $0 > tauMin }, "above tau_min"),
      rho: try reader.number("rho", where: { $0 >= 0 }, "from 0 up"),
      dropout: try reader.number("dropout", where: { (0..<1).contains($0) }, "from 0 to below 1"))
  }
}
