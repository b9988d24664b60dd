import Artifacts
import Configuration
import Diagnostics
import EncoderDescriptions
import Files
import Glibc
import ImageTextModels
import JSON
import Pictures
import StageDescriptions
import TestSupport
import Testing
import Torch
import Weights

@testable import ExportStage

/// Encoders of pictures and captions in other tools.
@Suite struct DualEncoderExportTests {
  private let workshop: EncoderWorkshop

  init() throws { workshop = try EncoderWorkshop() }

  // MARK: - Towers of their own

  @Test func `an open_clip folder has the weights under their names, and says how they are read`() throws {
    let model = try workshop.towers()
    let export = try workshop.export("open_clip", model)
    let (weights, own) = (
      try SafetensorsFile(export.file("open_clip_model.safetensors")),
      try SafetensorsFile(model.file("model.safetensors"))
    )
    #expect(weights.entries.map(\.name) == own.entries.map(\.name))
    for entry in own.entries { #expect(try Tensor(weights.entry(entry.name)).floats == Tensor(entry).floats) }
    let configuration = try workshop.json("open_clip_config.json", of: export)
    let sizes = configuration["model_cfg"]
    #expect(sizes?["quick_gelu"] == false && sizes?["embed_dim"] == 6)
    #expect(sizes?["vision_cfg"]?["mlp_ratio"] == 2.5 && sizes?["vision_cfg"]?["norm_kwargs"]?["eps"] == 0.001)
    #expect(sizes?["vision_cfg"]?["head_width"] == 4 && sizes?["text_cfg"]?["heads"] == 3)
    #expect(configuration["preprocess_cfg"]?["resize_mode"] == "longest")
    #expect(configuration["preprocess_cfg"]?["fill_color"] == 255)
  }

  @Test func `a transformers folder has each weight once, queries, keys and values apart`() throws {
    let model = try workshop.towers()
    let export = try workshop.export("huggingface", model)
    let encoder = try DualEncoder.read(model)
    let own = Dictionary(uniqueKeysWithValues: encoder.parameters.map { ($0.name, $0.tensor) })
    let file = try SafetensorsFile(export.file("model.safetensors"))
    #expect(file.metadata["format"] == "pt")
    #expect(
      file.entries.reduce(0) { $0 + $1.shape.reduce(1, *) } == encoder.parameters.reduce(0) { $0 + $1.tensor.count })
    let keys = try Tensor(file.entry("text_model.encoder.layers.1.self_attn.k_proj.weight", shape: [12, 12]))
    #expect(keys.floats == own["transformer.resblocks.1.attn.in_proj_weight"]![12..<24].floats)
    let projection = try Tensor(file.entry("visual_projection.weight", shape: [6, 8]))
    #expect(projection.floats == own["visual.proj"]!.transposed().contiguous().floats)

    let configuration = try workshop.json("config.json", of: export)
    let end = encoder.captionTokenizer!.endMark.id
    #expect(
      configuration["text_config"]?["hidden_act"] == "gelu" && configuration["vision_config"]?["hidden_act"] == "gelu")
    #expect(configuration["text_config"]?["eos_token_id"]?.intValue == end)
    for part in [configuration, configuration["text_config"]!, configuration["vision_config"]!] {
      #expect(part["projection_dim"] == 6)
    }
  }

  @Test(arguments: ["open_clip", "huggingface", "onnx"])
  func `the vocabulary puts the end mark after captions, and pads with it`(format: String) throws {
    let export = try workshop.export(format, workshop.towers())
    let template = try workshop.json("tokenizer.json", of: export)["post_processor"]
    #expect(template?["type"] == "TemplateProcessing")
    #expect(template?["single"]?.arrayValue?.last?["SpecialToken"]?["id"] == "<|endoftext|>")
    let settings = try workshop.json("tokenizer_config.json", of: export)
    #expect(settings["pad_token"] == "<|endoftext|>" && settings["split_special_tokens"] == true)
    #expect(settings["model_max_length"] == 10)
  }

  @Test(arguments: ["safetensors", "npz", "gguf"])
  func `forms that towers of their own do not have are refused with those that they have`(format: String) throws {
    let failure = #expect(throws: Failure.self) { try workshop.export(format, workshop.towers()) }
    #expect(failure?.status == (format == "safetensors" || format == "gguf" ? .usage : .badConfiguration))
    if format == "safetensors" { #expect(failure?.message.contains("open_clip") == true) }
  }

  // MARK: - The scale

  @Test(arguments: [
    (LogitScale.Origin.learned, 14.0, 14.0, "it was learned"), (.fixed, 250, 250, "the fixed one"),
    (.validation, 20, 20, "best single one by likelihood"), (.validation, 250, 100, "That was 0.004"),
  ])
  func `the card says where the scale comes from`(
    origin: LogitScale.Origin, scale: Double, exported: Double, words: String
  ) throws {
    let export = try workshop.export("open_clip", workshop.towers(LogitScale(scale, from: origin)))
    let stated = try Tensor(SafetensorsFile(export.file("open_clip_model.safetensors")).entry("logit_scale")).item
    #expect(abs(stated - log(exported)) < 1e-6)
    #expect(try workshop.text("README.md", of: export).contains(words))
    #expect(export.summary["scale_from"]?.stringValue == origin.rawValue)
  }

  // MARK: - Pairs and measurements

  @Test func `pairs tell the card their sources, and the preprocessing how pictures became squares`() throws {
    let model = try workshop.towers()
    let export = try workshop.export("open_clip", model, inputs: ["pairs": workshop.pairs(fit: "crop")])
    let configuration = try workshop.json("open_clip_config.json", of: export)
    #expect(configuration["preprocess_cfg"]?["resize_mode"] == "shortest")
    let card = try workshop.text("README.md", of: export)
    #expect(card.contains("| drawn | CC0-1.0 |") && card.contains("what lay beyond it was cut off"))
  }

  @Test func `pairs of another training are refused`() throws {
    let model = try workshop.towers(trainedOn: "ab")
    let failure = #expect(throws: Failure.self) {
      try workshop.export("open_clip", model, inputs: ["pairs": workshop.pairs(fit: "pad")])
    }
    #expect(failure?.status == .badData && failure?.message.contains("was trained on ab") == true)
  }

  @Test func `a bundle holds the folder of open_clip, ONNX models and the report, and nothing of the clock`() throws {
    let model = try workshop.towers()
    let measured = try workshop.retrieval(pictures: "free")
    let files = try workshop.bundle(model, inputs: ["evaluation": measured])
    #expect(
      Set(files.keys) == [
        "README.md", "open_clip_config.json", "open_clip_model.safetensors", "tokenizer.json", "tokenizer_config.json",
        "vision_model.onnx", "text_model.onnx", "preprocessor_config.json", "metrics.json", "report.html",
      ])
    #expect(files["report.html"] == Array("a report".utf8))
    #expect(try workshop.bundle(model, inputs: ["evaluation": measured], output: "again") == files)
  }

  @Test func `a report that shows pictures of any licence does not go into a bundle`() throws {
    let failure = #expect(throws: Failure.self) {
      try workshop.bundle(workshop.towers(), inputs: ["evaluation": workshop.retrieval(pictures: "all")])
    }
    #expect(failure?.status == .badData && failure?.message.contains("report.pictures=free") == true)
  }

  // MARK: - Heads

  @Test func `heads go into a bundle with their module and their models`() throws {
    let files = try workshop.bundle(workshop.heads())
    #expect(
      Set(files.keys) == [
        "README.md", "config.json", "heads.safetensors", "dual_encoder.py", "tempnet.py", "image_head.onnx",
        "text_head.onnx",
      ])
    #expect(String(decoding: files["README.md"]!, as: UTF8.self).contains("Two heads bring the embeddings"))
  }

  @Test(arguments: ["open_clip", "huggingface"])
  func `heads on frozen towers have no form of CLIP`(format: String) throws {
    let failure = #expect(throws: Failure.self) { try workshop.export(format, workshop.heads()) }
    #expect(failure?.status == .usage)
    #expect(failure?.message.contains("no form in transformers or open_clip") == true)
  }

  @Test func `other towers than those of the heads are refused`() throws {
    let failure = #expect(throws: Failure.self) {
      try workshop.export("onnx", workshop.heads(), settings: EncoderWorkshop.towerFolders)
    }
    #expect(failure?.status == .badData && failure?.message.contains("is not the tower below") == true)
  }

  @Test func `towers are given both or not at all, and to heads`() throws {
    #expect(throws: Failure.self) {
      try workshop.export("onnx", workshop.heads(), settings: [EncoderWorkshop.towerFolders[0]])
    }
    let failure = #expect(throws: Failure.self) {
      try workshop.export("onnx", workshop.towers(), settings: EncoderWorkshop.towerFolders)
    }
    #expect(failure?.status == .badConfiguration)
  }

  // MARK: - Other tools

  @Test(.enabled(if: slowTestsEnabled || python != nil), arguments: TowersConfiguration.Activation.allCases)
  func `transformers and ONNX Runtime find the rows of towers of their own`(
    activation: TowersConfiguration.Activation
  ) throws {
    let python = try #require(python, "TEMPNET_PYTHON names no interpreter")
    let model = try workshop.towers(activation: activation)
    let encoder = try DualEncoder.read(model)
    let ours = try workshop.rows(of: encoder)
    let parts = try [workshop.export("huggingface", model), workshop.export("onnx", model)].map(\.path)
    let said = try output(
      of: python, [fixture("compare_encoders.py"), "towers", ours, workshop.captionsPath] + parts)
    #expect(try #require(Double(said.filter { !$0.isWhitespace })) < 1e-5)
  }

  @Test(.enabled(if: slowTestsEnabled || python != nil))
  func `ONNX Runtime finds the rows of frozen towers with heads`() throws {
    let python = try #require(python, "TEMPNET_PYTHON names no interpreter")
    let (model, ours) = try workshop.headsOnTowers()
    let export = try workshop.export("onnx", model, settings: EncoderWorkshop.towerFolders)
    let said = try output(
      of: python,
      [fixture("compare_encoders.py"), "heads", ours, workshop.captionsPath, export.path])
    #expect(try #require(Double(said.filter { !$0.isWhitespace })) < 1e-5)
  }
}
