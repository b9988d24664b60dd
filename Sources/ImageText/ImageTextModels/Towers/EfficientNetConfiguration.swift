import Diagnostics
import JSON

/// The sizes of an EfficientNet-Lite, as the `config.json` of its folder states them (data/extract_efficientnet.py).
struct EfficientNetConfiguration: Equatable, Sendable {
  /// Consecutive blocks of one kernel and one number of channels.
  struct Stage: Equatable, Sendable {
    let blocks: Int
    let kernel: Int
    /// Of the first block; the others have 1.
    let stride: Int
    /// The factor from a block's input to its inner channels.
    let expansion: Int
    let channels: Int
  }

  static let modelType = "efficientnet-lite"

  let name: String
  /// The channels of the first convolution.
  let stem: Int
  let stages: [Stage]
  /// The numbers of an embedding.
  let width: Int
  let normEpsilon: Double
  /// A pixel v from 0 to 255 is read as (v - mean) / scale.
  let pixelMean: Double
  let pixelScale: Double

  /// - Throws: `Failure(.badData)` naming the member that is not as it should be.
  init(_ json: JSON, source: String) throws {
    var fields = try JSONFields(json, source: source)
    guard try fields.string("model_type") == Self.modelType else {
      throw fields.failure("model_type", "must be \(Self.modelType)")
    }
    name = try fields.string("name")
    stem = try fields.channels("stem")
    stages = try fields.list("stages").map(Stage.init)
    width = try fields.channels("width")
    normEpsilon = try fields.positive("batch_norm_epsilon")
    pixelMean = try fields.number("pixel_mean")
    pixelScale = try fields.positive("pixel_scale")
    try fields.finish()
    guard (1...64).contains(stages.count) else { throw fields.failure("stages", "must be 1 to 64") }
  }
}

extension EfficientNetConfiguration.Stage {
  fileprivate init(_ fields: JSONFields) throws {
    var fields = fields
    blocks = try fields.size("blocks", in: 1...64)
    kernel = try fields.size("kernel", in: 1...31)
    stride = try fields.size("stride", in: 1...2)
    expansion = try fields.size("expansion", in: 1...16)
    channels = try fields.channels("channels")
    try fields.finish()
  }
}

extension JSONFields {
  fileprivate mutating func channels(_ name: String) throws -> Int { try size(name, in: 1...1 << 14) }

  fileprivate mutating func positive(_ name: String) throws -> Double {
    let value = try number(name)
    guard value > 0, value.isFinite else { throw failure(name, "is \(value), expected a positive number") }
    return value
  }
}
