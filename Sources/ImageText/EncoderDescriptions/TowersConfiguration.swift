import Diagnostics
import JSON

/// The sizes of two encoders that read pictures and captions themselves: open_clip's native CLIP, a vision transformer
/// with a class token and a causal text transformer that is read at its end mark.
public struct TowersConfiguration: Equatable, Sendable {
  public struct Vision: Equatable, Sendable {
    /// Of a picture's sides, and of a patch's, in pixels.
    public var size: Int
    public var patch: Int
    public var width: Int
    public var layers: Int
    public var heads: Int

    public init(size: Int, patch: Int, width: Int, layers: Int, heads: Int) {
      (self.size, self.patch, self.width, self.layers, self.heads) = (size, patch, width, layers, heads)
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

    public init(vocabulary: Int, context: Int, width: Int, layers: Int, heads: Int) {
      (self.vocabulary, self.context, self.width) = (vocabulary, context, width)
      (self.layers, self.heads) = (layers, heads)
    }
  }

  public var vision: Vision
  public var text: Text
  /// The width of the common space.
  public var embed: Int
  /// Subtracted from pixels in 0...1, red, green, blue; then these are divided by `deviation`.
  public var mean: [Double]
  public var deviation: [Double]

  /// - Throws: `Failure(.badConfiguration)` for sizes that do not fit one another.
  public init(vision: Vision, text: Text, embed: Int, mean: [Double], deviation: [Double]) throws {
    (self.vision, self.text, self.embed, self.mean, self.deviation) = (vision, text, embed, mean, deviation)
    if let problem { throw Failure(.badConfiguration, problem) }
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
    let channels = mean + deviation
    guard mean.count == 3, deviation.count == 3, channels.allSatisfy(\.isFinite), deviation.allSatisfy({ $0 > 0 })
    else {
      return "mean and deviation need three numbers each, deviations above 0"
    }
    return nil
  }
}

extension TowersConfiguration {
  var members: JSONObject {
    [
      "image": [
        "size": .integer(vision.size), "patch": .integer(vision.patch), "width": .integer(vision.width),
        "layers": .integer(vision.layers), "heads": .integer(vision.heads),
        "mean": .array(mean.map(JSON.number)), "deviation": .array(deviation.map(JSON.number)),
      ],
      "text": [
        "vocabulary": .integer(text.vocabulary), "context": .integer(text.context), "width": .integer(text.width),
        "layers": .integer(text.layers), "heads": .integer(text.heads),
      ],
      "embed": .integer(embed),
    ]
  }

  init(_ fields: inout JSONFields) throws {
    var image = try fields.fields("image")
    let vision = Vision(
      size: try image.size("size", in: 1...1 << 14), patch: try image.size("patch", in: 1...1 << 14),
      width: try image.size("width", in: 1...1 << 16), layers: try image.size("layers", in: 1...1 << 10),
      heads: try image.size("heads", in: 1...1 << 10))
    let (mean, deviation) = (try image.numbers("mean"), try image.numbers("deviation"))
    try image.finish()
    var text = try fields.fields("text")
    let sizes = Text(
      vocabulary: try text.size("vocabulary", in: 1...1 << 21), context: try text.size("context", in: 2...1 << 16),
      width: try text.size("width", in: 1...1 << 16), layers: try text.size("layers", in: 1...1 << 10),
      heads: try text.size("heads", in: 1...1 << 10))
    try text.finish()
    let embed = try fields.size("embed", in: 1...TowerRecord.greatestWidth)
    do {
      try self.init(vision: vision, text: sizes, embed: embed, mean: mean, deviation: deviation)
    } catch let failure as Failure {
      throw fields.failure("image", "and text do not fit: \(failure.message)")
    }
  }
}

extension JSONFields {
  fileprivate mutating func numbers(_ name: String) throws -> [Double] {
    try array(name).map { json in
      guard let number = json.doubleValue else { throw failure(name, "must hold numbers, found \(json.kindName)") }
      return number
    }
  }
}
