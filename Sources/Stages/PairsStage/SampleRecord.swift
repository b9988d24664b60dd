import Diagnostics
import Files
import JSON
import Pairs

/// A line of `samples.jsonl`.
enum SampleRecord {
  case leftOut(PairsArtifact.LeftOut)
  case picture(Picture)

  struct Picture {
    let source: String
    let member: String
    /// The SHA-256 of the pixels.
    let pixels: String
    let description: PairDescription

    /// Decides its split: the concept according to the source, or else the title.
    var concept: String { description.concept ?? description.captions.first?.lowercased() ?? "" }
  }

  static func json(_ sample: DecodedSample, chunk: Int) -> JSON {
    var object: JSONObject = ["chunk": .integer(chunk)]
    switch sample {
    case .leftOut(let sample):
      object["source"] = .string(sample.source)
      object["member"] = .string(sample.member)
      object["reason"] = .string(sample.reason)
    case .picture(let sample, let pixels):
      object["source"] = .string(sample.source)
      object["member"] = .string(sample.member)
      object["pixels"] = .string(SHA256.hex(of: pixels))
      let description = sample.description
      object["captions"] = .array(description.captions.map(JSON.string))
      object["concept"] = description.concept.map(JSON.string)
      object["style"] = description.style.map(JSON.string)
      object["label"] = description.label.map(JSON.string)
      object["licence"] = description.licence.map(JSON.string)
      object["free"] = description.isFree.map(JSON.bool)
      object["split"] = description.split.map(JSON.string)
    }
    return .object(object)
  }

  /// The chunk that a line states; nil for a line that is cut short.
  static func chunk(of line: ArraySlice<UInt8>) -> Int? { try? JSON(parsing: line, source: "")["chunk"]?.intValue }

  init(_ line: ArraySlice<UInt8>, at place: String) throws {
    var fields = try JSONFields(try JSON(parsing: line, source: place), source: place)
    _ = try fields.integer("chunk")
    let (source, member) = (try fields.string("source"), try fields.string("member"))
    if let reason = try fields.optionalString("reason") {
      self = .leftOut(PairsArtifact.LeftOut(source: source, member: member, reason: reason))
      return
    }
    let pixels = try fields.string("pixels")
    guard SHA256.isHex(pixels) else { throw fields.failure("pixels", "is not a SHA-256 digest") }
    var description = PairDescription(captions: try fields.array("captions").compactMap(\.stringValue))
    description.concept = try fields.optionalString("concept")
    description.style = try fields.optionalString("style")
    description.label = try fields.optionalString("label")
    description.licence = try fields.optionalString("licence")
    description.isFree = fields.optional("free")?.boolValue
    description.split = try fields.optionalString("split")
    self = .picture(Picture(source: source, member: member, pixels: pixels, description: description))
  }
}
