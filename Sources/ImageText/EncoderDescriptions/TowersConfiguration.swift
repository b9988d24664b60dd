import Diagnostics
import JSON

/// The sizes of two encoders that read pictures and captions themselves: open_clip's native CLIP, a vision transformer
/// with a class token and a causal text transformer that is read at its end mark.
public struct TowersConfiguration: Equatable, Sendable {
  /// Between the two layers of a feed-forward part.
  public enum Activation: String, CaseIterable, Sendable {
    case gelu
    /// x · σ(1.702 x), which OpenAI's weights and several of LAION's need.
    case quickGelu = "quick_gelu"
  }

  /// What blocks of both towers have besides their width.
  public struct Block: Equatable, Sendable {
    public var activation: Activation
    /// The hidden width of the feed-forward part.
    public var feedForward: Int
    public var normEpsilon: Double

    public init(activation: Activation = .gelu, feedForward: Int, normEpsilon: Double = 1e-5) {
      (self.activation, self.feedForward, self.normEpsilon) = (activation, feedForward, normEpsilon)
    }

    /// The blocks of a tower whose file says nothing of them.
    static func usual(width: Int) -> Block { Block(feedForward: 4 * width) }
  }

  public struct Vision: Equatable, Sendable {
    /// Of a picture's sides, and of a patch's, in pixels.
    public var size: Int
    public var patch: Int
    public var width: Int
    public var layers: Int
    public var heads: Int
    public var block: Block

    /// - Parameter block: GELU, four times the width and an epsilon of 1e-5 if nil.
    public init(size: Int, patch: Int, width: Int, layers: Int, heads: Int, block: Block? = nil) {
      (self.size, self.patch, self.width, self.layers, self.heads) = (size, patch, width, layers, heads)
      self.block = block ?? .usual(width: width)
    }

    /// The patches of a picture and the class token.
    public var positions: Int { (size / patch) * (size / patch) + 1 }
  }

  public struct Text: Equatable, Sendable {
    /// One more than the largest id, which is that of the end mark.
    public var vocabulary: Int
    /// The most tokens of a caption, with its marks.
    public var context: Int
    public var width: Int
    public var layers: Int
    public var heads: Int
    public var block: Block

    /// - Parameter block: as for pictures.
    public init(vocabulary: Int, context: Int, width: Int, layers: Int, heads: Int, block: Block? = nil) {
      (self.vocabulary, self.context, self.width) = (vocabulary, context, width)
      (self.layers, self.heads) = (layers, heads)
      self.block = block ?? .usual(width: width)
    }
  }

  public var vision: Vision
  public var text: Text
  /// The width of the common space.
  public var embed: Int
  /// The share that training drops of what enters the blocks and of what each half of a block adds.
  public var dropout: Double
  /// Subtracted from pixels in 0...1, red, green, blue; then these are divided by `deviation`.
  public var mean: [Double]
  public var deviation: [Double]

  /// - Parameter place: where the values come from, for messages.
  /// - Throws: `Failure` with `status` for sizes that do not fit one another.
  public init(
    vision: Vision, text: Text, embed: Int, dropout: Double = 0, mean: [Double], deviation: [Double],
    status: ExitStatus = .badConfiguration, at place: String? = nil
  ) throws {
    (self.vision, self.text, self.embed, self.dropout) = (vision, text, embed, dropout)
    (self.mean, self.deviation) = (mean, deviation)
    if let problem { throw Failure(status, problem, at: place) }
  }

  /// Why no network can be of these sizes; nil if one can.
  private var problem: String? {
    if !vision.size.isMultiple(of: vision.patch) {
      return "patches of \(vision.patch) pixels do not fill pictures of \(vision.size)"
    }
    for (name, width, heads) in [("image", vision.width, vision.heads), ("text", text.width, text.heads)]
    where !width.isMultiple(of: heads) {
      return "\(heads) heads do not divide the \(name) encoder's width of \(width)"
    }
    for (name, block) in [("image", vision.block), ("text", text.block)] where !(0..<1).contains(block.normEpsilon) {
      return "the \(name) encoder's norm_epsilon is \(block.normEpsilon), expected at least 0 and less than 1"
    }
    let channels = mean + deviation
    guard mean.count == 3, deviation.count == 3, channels.allSatisfy(\.isFinite), deviation.allSatisfy({ $0 > 0 })
    else {
      return "mean and deviation need three numbers each, deviations above 0"
    }
    if !(0..<1).contains(dropout) { return "a dropout of \(dropout) is not from 0 to below 1" }
    return nil
  }
}

extension TowersConfiguration {
  var members: JSONObject {
    var members: JSONObject = [
      "image": Self.tower(
        [
          "size": .integer(vision.size), "patch": .integer(vision.patch), "width": .integer(vision.width),
          "layers": .integer(vision.layers), "heads": .integer(vision.heads),
          "mean": .array(mean.map(JSON.number)), "deviation": .array(deviation.map(JSON.number)),
        ], vision.block, width: vision.width),
      "text": Self.tower(
        [
          "vocabulary": .integer(text.vocabulary), "context": .integer(text.context), "width": .integer(text.width),
          "layers": .integer(text.layers), "heads": .integer(text.heads),
        ], text.block, width: text.width),
      "embed": .integer(embed),
    ]
    if dropout > 0 { members["dropout"] = .number(dropout) }
    return members
  }

  /// What a tower's blocks have beyond the usual stands behind its sizes; absent members leave older files as they are.
  private static func tower(_ sizes: JSONObject, _ block: Block, width: Int) -> JSON {
    let usual = Block.usual(width: width)
    var object = sizes
    if block.activation != usual.activation { object["activation"] = .string(block.activation.rawValue) }
    if block.feedForward != usual.feedForward { object["feed_forward"] = .integer(block.feedForward) }
    if block.normEpsilon != usual.normEpsilon { object["norm_epsilon"] = .number(block.normEpsilon) }
    return .object(object)
  }

  init(_ fields: inout JSONFields) throws {
    var image = try fields.fields("image")
    var vision = Vision(
      size: try image.size("size", in: 1...1 << 14), patch: try image.size("patch", in: 1...1 << 14),
      width: try image.size("width", in: 1...1 << 16), layers: try image.size("layers", in: 1...1 << 10),
      heads: try image.size("heads", in: 1...1 << 10))
    let (mean, deviation) = (try image.numbers("mean"), try image.numbers("deviation"))
    vision.block = try image.block(width: vision.width)
    try image.finish()
    var text = try fields.fields("text")
    var sizes = Text(
      vocabulary: try text.size("vocabulary", in: 1...1 << 21), context: try text.size("context", in: 2...1 << 16),
      width: try text.size("width", in: 1...1 << 16), layers: try text.size("layers", in: 1...1 << 10),
      heads: try text.size("heads", in: 1...1 << 10))
    sizes.block = try text.block(width: sizes.width)
    try text.finish()
    let embed = try fields.size("embed", in: 1...TowerRecord.greatestWidth)
    let dropout = try fields.number(ifPresent: "dropout") ?? 0
    do {
      try self.init(vision: vision, text: sizes, embed: embed, dropout: dropout, mean: mean, deviation: deviation)
    } catch let failure as Failure {
      throw fields.failure("image", "and text do not fit: \(failure.message)")
    }
  }
}

extension JSONFields {
  fileprivate mutating func block(width: Int) throws -> TowersConfiguration.Block {
    var block = TowersConfiguration.Block.usual(width: width)
    if optional("activation") != nil { block.activation = try choice("activation") }
    if optional("feed_forward") != nil { block.feedForward = try size("feed_forward", in: 1...1 << 18) }
    if let epsilon = try number(ifPresent: "norm_epsilon") { block.normEpsilon = epsilon }
    return block
  }
}
