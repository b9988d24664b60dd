import JSON

/// How the encoders of a joint space were trained, so that evaluations can tell losses, settings and seeds apart:
///
///     {"key": "57934424…", "configuration": {"loss": "sogclr", "seed": 1, …}}
public struct EncoderRecord: Equatable, Sendable {
  /// Of the `dual-encoder` artifact.
  public var key: String
  /// That artifact's canonical configuration.
  public var configuration: JSON

  public init(key: String, configuration: JSON) { (self.key, self.configuration) = (key, configuration) }

  public var json: JSON { ["key": .string(key), "configuration": configuration] }

  init(_ fields: JSONFields) throws {
    var fields = fields
    key = try fields.string("key")
    configuration = .object(try fields.object("configuration"))
    try fields.finish()
  }
}
