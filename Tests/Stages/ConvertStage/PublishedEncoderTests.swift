import Artifacts
import Configuration
import ConvertStage
import Diagnostics
import Files
import Glibc
import ImageTextModels
import JSON
import StageDescriptions
import TestSupport
import Testing
import Torch

/// Small random models of every option, made by open_clip and transformers, with their own embeddings
/// (`scripts/peers/make_published_encoders.py`).
@Suite struct PublishedEncoderTests {
  private let folder = try! TemporaryFolder()

  private func convert(_ settings: [String]) throws -> Artifact {
    let configuration = try ConvertConfiguration.resolve(
      file: nil, overrides: settings.map(ConfigurationOverride.init(parsing:)))
    return try ConvertStage.run(
      StageRequest<Convert>(configuration, inputs: [:], output: folder("artifact"), digests: .forProgram))
  }

  /// A copy of a fixture, to change.
  private func copy(_ name: String) throws -> String {
    try Files.makeFolder(folder(name))
    for file in try Files.list(fixture(name)) {
      try AtomicFile.write(Files.read(fixture("\(name)/\(file)")), to: folder("\(name)/\(file)"))
    }
    return folder(name)
  }

  private func change(_ path: String, _ from: String, _ to: String) throws {
    let bytes = try Files.read(path)
    let changed = bytes.replacing(Array(from.utf8), with: Array(to.utf8))
    try #require(changed != bytes, "\(path) has no \(from)")
    try AtomicFile.write(changed, to: path)
  }

  private func failure(_ settings: [String]) -> Failure? {
    do {
      _ = try convert(settings)
      return nil
    } catch {
      return error as? Failure
    }
  }

  private static func floats(_ json: JSON?) -> [Float] {
    (json?.arrayValue ?? []).flatMap { $0.arrayValue ?? [] }.map { Float($0.doubleValue!) }
  }

  @Test(
    arguments: [
      ("open-clip", []), ("open-clip-quick", []), ("open-clip-custom", []),
      ("bare/weights.pt", ["activation=quick_gelu", "tokenizer=bare/tokenizer.json"]), ("transformers", []),
      ("transformers-gelu", []),
    ] as [(String, [String])])
  func `embeddings are those of the library that made the model`(name: String, settings: [String]) throws {
    let resolved = settings.map { $0.replacing("tokenizer=", with: "tokenizer=\(fixture(""))") }
    let encoder = try DualEncoder.read(convert(["weights=\(fixture(name))"] + resolved))
    let home = name.hasSuffix(".pt") ? "bare" : name
    let expected = try JSON(parsing: Files.read(fixture("\(home)/expected.json")), source: home)
    let size = try #require(encoder.transform).size
    let pictures = Tensor((0..<3 * 3 * size * size).map { Float(sin(0.1 * Double($0))) }, shape: [3, 3, size, size])
    let image = withoutGradients { encoder.images(pictures) }
    let tokenizer = try #require(encoder.captionTokenizer)
    let ids = (expected["captions"]?.arrayValue ?? []).map { tokenizer.encode($0.stringValue!) }
    let wanted: [[Int]] = (expected["ids"]?.arrayValue ?? []).map { ($0.arrayValue ?? []).compactMap(\.intValue) }
    let found: [[Int]] = ids.map { $0.map(Int.init) }
    #expect(found == wanted)
    let text = withoutGradients { encoder.texts(CaptionTokenizer.padded(ids)) }
    for (found, wanted) in [(image, expected["image"]), (text, expected["text"])] {
      let differences = zip(found.floats, Self.floats(wanted)).map { abs($0 - $1) }
      #expect(differences.count == found.count && differences.max()! < 1e-5, "\(differences.max() ?? 0)")
    }
    #expect(abs(encoder.scale.value - 1 / 0.07) < 0.02 && encoder.scaleOrigin == .learned)
  }

  @Test func `what a file does not say is taken as its form has it, and said`() throws {
    let artifact = try convert(["weights=\(fixture("transformers"))"])
    let taken = try #require(artifact.summary["taken"]?.arrayValue)
    for said in [
      "vision_config.hidden_act: taken as quick_gelu, the default of transformers", "text_config.hidden_act",
      "text_config.layer_norm_eps: taken as 1e-5", "mean and deviation are CLIP's",
    ] {
      #expect(taken.contains { $0.stringValue!.contains(said) }, "\(said)")
    }
    guard case .towers(let towers) = try DualEncoder.read(artifact).configuration else {
      Issue.record("an encoder of another form")
      return
    }
    #expect(towers.vision.block.activation == .quickGelu && towers.text.block.activation == .quickGelu)
  }

  @Test func `a state dict alone needs an activation`() throws {
    let found = try #require(failure(["weights=\(fixture("bare/weights.pt"))"]))
    #expect(found.status == .badData && found.message.contains("activation=quick_gelu"))
    let differs = try #require(failure(["weights=\(fixture("open-clip"))", "activation=quick_gelu"]))
    #expect(differs.status == .badConfiguration && differs.message.contains("is quick_gelu, but"))
  }

  @Test(
    arguments: [
      ("open-clip", "open_clip_config.json", #""layers": 2"#, #""layers": [3, 4, 6, 3]"#, "ResNet"),
      (
        "open-clip", "open_clip_config.json", #""embed_dim": 12"#, #""embed_dim": 12, "init_logit_bias": -10"#,
        "init_logit_bias"
      ),
      ("open-clip", "open_clip_config.json", #""patch_size": 8"#, #""patch_size": 8, "qk_norm": true"#, "qk_norm"),
      (
        "open-clip", "open_clip_config.json", #""patch_size": 8"#, #""patch_size": 8, "novelty": 1"#,
        "novelty is not known"
      ),
      ("open-clip", "open_clip_config.json", #""patch_size": 8"#, #""patch_size": 4"#, "has shape [5, 16]"),
      (
        "open-clip", "open_clip_config.json", #""context_length": 24"#,
        #""context_length": 24, "no_causal_mask": true"#, "no_causal_mask"
      ),
      ("transformers", "config.json", #""model_type": "clip""#, #""model_type": "siglip""#, "siglip"),
      ("transformers-gelu", "config.json", #""hidden_act": "gelu""#, #""hidden_act": "relu""#, "relu"),
    ])
  func `what would change embeddings is refused by name`(
    model: String, file: String, from: String, to: String, named: String
  ) throws {
    let path = try copy(model)
    try change("\(path)/\(file)", from, to)
    let found = try #require(failure(["weights=\(path)"]))
    #expect(found.status == .badData && found.description.contains(named), "\(found)")
    #expect(!Files.exists(folder("artifact")))
  }

  @Test func `a folder without a vocabulary asks for one`() throws {
    let path = try copy("open-clip")
    try Files.remove("\(path)/tokenizer.json")
    let found = try #require(failure(["weights=\(path)"]))
    #expect(found.status == .missingInput && found.message.contains("tokenizer"))
  }

  @Test func `a tensor too many is named`() throws {
    let path = try copy("open-clip-custom")
    try change("\(path)/open_clip_model.safetensors", "\"text.ln_final.bias\"", "\"text.ln_finel.bias\"")
    let found = try #require(failure(["weights=\(path)"]))
    #expect(found.status == .badData && found.message.contains("text.ln_final.bias"))
  }
}
