import Files
import TestSupport

extension TinyPipeline {
  /// From pictures and captions to measured retrieval, small enough for a fixture.
  static func pairs() throws -> TinyPipeline {
    let folder = try TemporaryFolder()
    try AtomicFile.write(TinyPicture.archive, to: folder("pairs.tar"))
    let towers = checkout("Tests/ImageText/ImageTextModels/Fixtures")
    try Files.link(folder("image-tower"), to: "\(towers)/efficientnet")
    try Files.link(folder("text-tower"), to: "\(towers)/sentences")
    return TinyPipeline(pairStages, in: folder)
  }

  private static let pairStages: [Stage] = {
    let compute = "device: cpu, compute: float32"
    return [
      Stage(
        name: "pairs", program: .pairs, inputs: [],
        configuration: "{source: [pairs.tar], size: 16, validation: 0.2, test: 0.2, held_out: {style: [painted]}}"),
      Stage(
        name: "raw", program: .embed, inputs: [("pairs", "pairs")],
        configuration: "{image_tower: image-tower, text_tower: text-tower, copies: 1, batch: 8, \(compute)}"),
      Stage(
        name: "model", program: .contrast, inputs: [("embeddings", "raw")],
        configuration: """
          {loss: sogclr, batch: 8, epochs: 6, heads: {hidden: 16, embed: 8}, validation_interval: 10, log_interval: 4, \
          \(compute)}
          """),
      Stage(
        name: "joint", program: .embed, inputs: [("embeddings", "raw"), ("model", "model")],
        configuration: "{\(compute)}"),
      Stage(
        name: "features", program: .features, inputs: [("embeddings", "joint")],
        configuration: "{side: image, \(compute)}"),
      Stage(
        name: "tempnet", program: .fit, inputs: [("features", "features")],
        configuration: "{form: layers, hidden: 8, epochs: 4, batch: 16, \(compute)}"),
      Stage(
        name: "retrieval", program: .retrieve,
        inputs: [("embeddings", "joint"), ("tempnet", "tempnet"), ("pairs", "pairs")],
        configuration: "{captions: titles, bootstrap: {resamples: 200}, report: {examples: 1, neighbours: 2}}"),
    ]
  }()
}

/// Stripes in two colours, drawn in one style and painted in another.
private struct TinyPicture {
  private static let colours: [(name: String, rgb: [UInt8])] = [
    ("red", [220, 40, 30]), ("green", [30, 160, 60]), ("blue", [40, 70, 210]), ("yellow", [240, 210, 40]),
    ("black", [10, 10, 10]), ("white", [250, 250, 250]), ("brown", [120, 80, 40]),
  ]
  private static let side = 16

  let first: Int
  let second: Int
  let isPainted: Bool

  /// Imagefolder's form: metadata first.
  static var archive: [UInt8] {
    let pictures = [false, true].flatMap { isPainted in
      colours.indices.flatMap { first in
        colours.indices.filter { $0 != first }.map { TinyPicture(first: first, second: $0, isPainted: isPainted) }
      }
    }
    let metadata = pictures.map(\.metadata).joined()
    return tarFile([("metadata.jsonl", Array(metadata.utf8))] + pictures.map { ($0.name, $0.file) })
  }

  private var style: String { isPainted ? "painted" : "drawn" }
  private var name: String { "\(style)-\(first)-\(second).png" }

  private var metadata: String {
    let (own, other) = (Self.colours[first].name, Self.colours[second].name)
    return """
      {"file_name": "\(name)", "captions": ["\(own) stripes on \(other)", "\(own) and \(other)"], \
      "concept": "\(own)-\(other)", "style": "\(style)", "class": "\(own)", \
      "licence": "\(isPainted ? "CC-BY-SA-4.0" : "CC0-1.0")"}

      """
  }

  private var file: [UInt8] {
    var rgb: [UInt8] = []
    for y in 0..<Self.side {
      for x in 0..<Self.side {
        let colour = Self.colours[(isPainted ? x + y : y) / 3 % 3 == 0 ? first : second].rgb
        rgb += isPainted ? colour.map { $0 / 2 + UInt8((x * 7 + y * 13) % 100) } : colour
      }
    }
    return pngFile(width: Self.side, height: Self.side, rgb: rgb)
  }
}
