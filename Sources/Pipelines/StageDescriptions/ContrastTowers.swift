import Configuration
import EncoderDescriptions

/// The encoders that read pictures and captions themselves.
public struct OwnTowers: Equatable, Sendable {
  public var image: TowersConfiguration.Vision
  public var text: TextTower
  public var embed: Int
  public var dropout: Double

  /// The sizes of the text tower, of which the vocabulary is known once it is learnt or read.
  public struct TextTower: Equatable, Sendable {
    /// A `tokenizer.json`; nil to learn one from the training captions.
    public var tokenizer: String?
    /// The most entries that are learnt.
    public var vocabulary: Int
    public var context: Int
    public var width: Int
    public var layers: Int
    public var heads: Int
  }

  init(_ reader: inout ConfigurationReader) throws {
    image = try reader.section("image") { try Self.vision(&$0) }
    text = try reader.section("text") { try TextTower(&$0) }
    embed = try reader.integer("embed", default: 256, in: 1...1 << 16, help: "width of the common space")
    dropout = try reader.number(
      "dropout", default: 0, in: 0...0.99, help: "of what enters the blocks and of what each half of a block adds")
  }

  private static func vision(_ reader: inout ConfigurationReader) throws -> TowersConfiguration.Vision {
    let size = try reader.integer(
      "size", default: 64, in: 1...1 << 14, help: "sides of the pictures it reads, in pixels")
    let patch = try reader.integer("patch", default: 16, in: 1...1 << 14, help: "sides of a patch, in pixels")
    let (width, layers, heads) = try reader.transformer(width: 192, layers: 4)
    if !size.isMultiple(of: patch) {
      throw reader.failure("patch", with: ["size"], "is \(patch): such patches do not fill pictures of \(size) pixels")
    }
    return TowersConfiguration.Vision(size: size, patch: patch, width: width, layers: layers, heads: heads)
  }
}

extension OwnTowers.TextTower {
  fileprivate init(_ reader: inout ConfigurationReader) throws {
    tokenizer = try reader.optionalPath(
      "tokenizer", help: "tokenizer.json of captions, whose end mark has the greatest id; none: learnt from training")
    vocabulary = try reader.integer(
      "vocabulary", default: 4096, in: 257...1 << 21, help: "most entries of a learnt vocabulary")
    context = try reader.integer(
      "context", default: 32, in: 3...1 << 16, help: "most tokens of a caption with its marks; longer ones are cut")
    (width, layers, heads) = try reader.transformer(width: 128, layers: 3)
    if tokenizer != nil { reader.leaveOut("vocabulary") }
  }
}

extension ConfigurationReader {
  fileprivate mutating func transformer(width: Int, layers: Int) throws -> (width: Int, layers: Int, heads: Int) {
    let width = try integer("width", default: width, in: 1...1 << 16, help: "of its vectors")
    let layers = try integer("layers", default: layers, in: 1...1 << 10, help: "blocks")
    let stated = try integerOrAuto("heads", in: 1...1 << 10, help: "of attention; auto: one for 64 of the width")
    let heads = stated ?? max(1, width / 64)
    if !width.isMultiple(of: heads) {
      throw failure("heads", with: ["width"], "is \(heads), which does not divide the width of \(width)")
    }
    return (width, layers, heads)
  }
}

/// The part of a training picture that one step sees.
public struct Augmentation: Equatable, Sendable {
  /// The least share of the area; 1 for the whole picture.
  public var cropArea: Double
  /// The probability to be mirrored.
  public var mirrored: Double

  init(_ reader: inout ConfigurationReader) throws {
    cropArea = try reader.number(
      "crop_area", default: 0.5, in: .positive(upTo: 1),
      help: "least share of a training picture's area that a step sees; 1: the whole picture")
    mirrored = try reader.number(
      "mirrored", default: 0.5, in: 0...1, help: "probability that a training picture is mirrored")
  }
}
