import Diagnostics
import Files
import JSON
import TemperatureSettings

/// The facts about the rows of a `features` artifact, in `features.json`:
///
///     {"rows": "tokens"}
///     {"rows": "images", "scale": 20.0, "interpolation_error": {"rows": 512, "loss": 1.2e-5, "entropy": 8.3e-5}}
public enum FeaturesDescription: Equatable, Sendable {
  case tokens
  case anchors(AnchorDescription)

  public static let file = "features.json"

  public var kind: FeatureKind {
    switch self {
    case .tokens: .tokens
    case .anchors(let anchors): anchors.kind
    }
  }

  public var json: JSON {
    var object: JSONObject = ["rows": .string(kind.rawValue)]
    if case .anchors(let anchors) = self {
      object["scale"] = .number(anchors.scale)
      object["interpolation_error"] = anchors.interpolationError.json
    }
    return .object(object)
  }

  /// - Throws: `Failure(.badData)` naming the member that is not as it should be.
  static func read(_ path: String) throws -> FeaturesDescription {
    var fields = try JSONFields(JSON(parsing: Files.read(path), source: path, for: .strict), source: path)
    let name = try fields.string("rows")
    guard let kind = FeatureKind(rawValue: name) else {
      throw fields.failure(
        "rows", "is '\(name)', expected \(FeatureKind.allCases.map(\.rawValue).joined(separator: ", "))")
    }
    guard let side = kind.side else {
      try fields.finish()
      return .tokens
    }
    let scale = try fields.number("scale")
    guard scale > 0, scale.isFinite else { throw fields.failure("scale", "is \(scale), expected a positive number") }
    let error = try InterpolationError(fields.fields("interpolation_error"))
    try fields.finish()
    return .anchors(AnchorDescription(side, scale: scale, interpolationError: error))
  }
}

/// Facts about rows of images or texts.
public struct AnchorDescription: Equatable, Sendable {
  public let side: EmbeddingSide
  /// The factor between similarities and logits: temperature 1 of the rows is 1/scale between unit rows.
  public let scale: Double
  /// Of the profiles, measured where the logits were there.
  public let interpolationError: InterpolationError

  public init(_ side: EmbeddingSide, scale: Double, interpolationError: InterpolationError) {
    precondition(scale > 0)
    (self.side, self.scale, self.interpolationError) = (side, scale, interpolationError)
  }

  public var kind: FeatureKind { side.kind }
}

extension InterpolationError {
  public var json: JSON { ["rows": .integer(rows), "loss": .number(loss), "entropy": .number(entropy)] }

  init(_ fields: JSONFields) throws {
    var fields = fields
    self.init(
      rows: try fields.integer("rows"), loss: try fields.number("loss"), entropy: try fields.number("entropy"))
    try fields.finish()
  }
}
