import Diagnostics
import Files
import Foundation
import JSON
import ModelDescriptions
import TestSupport
import Testing
import Torch
import Weights

@testable import LanguageModels

@Suite struct ModelFamilyTests {
  static let fixtures = [
    "gpt2", "gpt2-exact-gelu-untied", "llama", "llama-wide-heads-tied", "llama-linear", "llama-dynamic",
    "llama-llama3", "mistral", "mistral-llama3", "qwen2", "qwen2-linear-tied", "neox", "neox-sequential", "neox-linear",
    "neox-dynamic-tanh-tied",
  ]
  static let ggufFixtures = fixtures.filter { Files.exists("\(fixture($0))/model.gguf") }

  @Test(arguments: fixtures)
  func `hidden states and logits equal those of transformers`(_ name: String) throws {
    try expectPublishedNumbers(of: published(name), name)
  }

  @Test(arguments: ggufFixtures)
  func `the same model in GGUF computes the same`(_ name: String) throws {
    try expectPublishedNumbers(of: PretrainedModel.open("\(fixture(name))/model.gguf").load(), name)
  }

  private func expectPublishedNumbers(of model: LanguageModel, _ name: String) throws {
    let expected = try SafetensorsFile("\(fixture(name))/expected.safetensors")
    let tokens = try Tensor(expected.entry("tokens"))
    let hidden = withoutGradients { model.hiddenStates(tokens) }
    let deviation = try (
      hidden: largestDifference(hidden, Tensor(expected.entry("hidden"))),
      logits: largestDifference(model.logits(hidden), Tensor(expected.entry("logits")))
    )
    #expect(deviation.hidden < 1e-5)
    #expect(deviation.logits < 1e-5)
  }

  @Test(arguments: fixtures)
  func `a family's model saved in our form computes the same`(_ name: String) throws {
    let model = try published(name)
    let tokens = randomTokens(model.configuration, [1, 9])
    let folder = try TemporaryFolder()
    try model.save(to: folder.path)
    let again = try LanguageModel.load(folder.path)
    #expect(again.configuration == model.configuration)
    #expect(again.logits(again.hiddenStates(tokens)).floats == model.logits(model.hiddenStates(tokens)).floats)
  }

  static let unsupported: [(String, String, JSON)] = [
    ("llama", "rope_scaling", ["type": "yarn", "factor": 2]),
    ("llama", "rope_parameters", ["rope_type": "longrope"]), ("llama", "mlp_bias", true),
    ("llama", "attention_bias", true), ("llama", "quantization_config", ["quant_method": "fp8"]),
    ("llama", "rope_parameters", ["rope_type": "llama3"]), ("llama", "rope_scaling", ["type": "linear", "factor": 0]),
    ("llama", "rope_scaling", ["type": "dynamic", "factor": 1e300]),
    ("llama", "hidden_act", "gelu"), ("llama", "model_type", "mamba"), ("llama", "rms_norm_eps", "small"),
    ("gpt2", "scale_attn_by_inverse_layer_idx", true), ("gpt2", "activation_function", "relu"),
    ("neox", "attention_bias", false), ("llama", "num_key_value_heads", 3), ("llama", "hidden_size", 0),
    ("gpt2", "n_head", 3), ("neox", "intermediate_size", -1), ("llama", "head_dim", 1_099_511_627_776),
  ]

  @Test(arguments: unsupported)
  func `what is not supported is refused by name`(_ name: String, _ member: String, _ value: JSON) throws {
    var json = try configuration(name)
    json[member] = value
    let failure = #expect(throws: Failure.self) { try ModelFamily.read(json, source: "config.json") }
    #expect(failure?.status == .badData)
    #expect(failure?.place == "config.json")
    let words = member.hasPrefix("rope_") ? ["rope_type", "factor"] : [member]
    #expect(words.contains { failure?.message.contains($0) == true }, "\(String(describing: failure))")
  }

  @Test(
    arguments: [
      (["model_type": "mistral", "sliding_window": 16], 16), (["model_type": "mistral", "sliding_window": 15], 15),
      (["model_type": "mistral", "sliding_window": .null], 16),
      // What transformers takes where nothing is said.
      (["model_type": "mistral", "max_position_embeddings": 4096], 4096),
      (["model_type": "mistral", "max_position_embeddings": 4097], 4096),
      (["model_type": "qwen2", "sliding_window": 15], 16),
      (["model_type": "qwen2", "sliding_window": 15, "use_sliding_window": true], 16),
      (["model_type": "qwen2", "sliding_window": 15, "use_sliding_window": true, "max_window_layers": 1], 15),
      (["model_type": "qwen2", "sliding_window": 15, "use_sliding_window": true, "max_window_layers": 2], 16),
      (
        [
          "model_type": "qwen2", "sliding_window": 9, "use_sliding_window": true,
          "layer_types": ["full_attention", "full_attention"],
        ], 16
      ),
      (
        [
          "model_type": "qwen2", "sliding_window": 9, "use_sliding_window": true,
          "layer_types": ["full_attention", "sliding_attention"],
        ], 9
      ),
    ] as [(JSON, Int)])
  func `windows are no longer than a sliding window in which every token still sees all before it`(
    _ changes: JSON, _ context: Int
  ) throws {
    var json = try configuration("llama")
    for (member, value) in changes.objectValue! { json[member] = value }
    if changes["max_position_embeddings"] == nil { json["max_position_embeddings"] = 16 }
    #expect(try ModelFamily.read(json, source: "config.json").1.context == context)
  }

  @Test func `a sliding window in which a token sees no other one is refused`() throws {
    var json = try configuration("llama")
    json["model_type"] = "mistral"
    json["sliding_window"] = 0
    let failure = #expect(throws: Failure.self) { try ModelFamily.read(json, source: "config.json") }
    #expect(failure?.message.contains("sliding_window") == true)
  }

  @Test(arguments: ["gpt2", "llama", "neox"])
  func `an activation that is left out is the one of the model's class`(_ name: String) throws {
    let json = try configuration(name)
    var without = json
    without[name == "gpt2" ? "activation_function" : "hidden_act"] = nil
    #expect(try ModelFamily.read(without, source: "config.json").1 == ModelFamily.read(json, source: "config.json").1)
  }

  @Test func `rotary settings mean what they mean to transformers`() throws {
    func scaling(_ changes: JSON) throws -> RotaryScaling {
      var json = try configuration("llama")
      json["rope_parameters"] = nil
      for (member, value) in changes.objectValue! { json[member] = value }
      return try ModelFamily.read(json, source: "config.json").1.rotaryScaling
    }
    let linear: JSON = ["type": "linear", "factor": 2.0]
    #expect(try scaling(["rope_scaling": linear]) == .linear(factor: 2))
    #expect(try scaling(["rope_scaling": ["type": "linear", "rope_type": "default", "factor": 2.0]]) == .none)
    #expect(try scaling(["rope_scaling": ["factor": 2.0]]) == .none)
    // The older member goes first, whatever the newer one says.
    let other: JSON = ["rope_type": "linear", "factor": 4.0, "rope_theta": 500.0]
    #expect(try scaling(["rope_scaling": linear, "rope_parameters": other]) == .linear(factor: 2))
    #expect(try scaling(["rope_scaling": [:], "rope_parameters": other]) == .linear(factor: 4))
    let llama3: JSON = ["rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0]
    #expect(try scaling(["rope_parameters": llama3]) == .llama3(factor: 8, low: 1, high: 4, original: 16))
    #expect(
      try scaling(["rope_parameters": llama3, "original_max_position_embeddings": 8])
        == .llama3(factor: 8, low: 1, high: 4, original: 8))
    for refused: JSON in [
      ["rope_parameters": ["full_attention": ["rope_type": "linear", "factor": 2.0]]], ["partial_rotary_factor": 0.5],
    ] {
      let failure = #expect(throws: Failure.self) { try scaling(refused) }
      #expect(failure?.status == .badData && failure?.message.contains("not supported") == true)
    }
  }

  @Test func `settings of older transformers are read too`() throws {
    var json = try configuration("neox")
    json["rope_parameters"] = nil
    json["rotary_pct"] = 0.5
    json["rotary_emb_base"] = 777
    let read = try ModelFamily.read(json, source: "config.json").1
    #expect(read.rotaryFraction == 0.5)
    #expect(read.rotaryBase == 777)
  }

  @Test func `stored masks are passed over and anything else is named`() throws {
    let (family, configuration) = try ModelFamily.read(configuration("gpt2"), source: "config.json")
    let stored = try SafetensorsFile("\(fixture("gpt2"))/model.safetensors")
    let tensors = try stored.entries.map { (name: $0.name, tensor: try Tensor($0)) }
    let mask = (name: "transformer.h.0.attn.bias", tensor: Tensor.ones([1, 1, 16, 16]))
    let tied = (name: "lm_head.weight", tensor: try Tensor(stored.entry("transformer.wte.weight")))
    let stranger = (name: "transformer.h.0.attn.extra", tensor: Tensor.ones([1]))
    let folder = try TemporaryFolder()
    let path = folder("model.safetensors")
    try SafetensorsWriter.write(tensors + [mask, tied], to: path)
    #expect(try family.parameters(configuration, from: SafetensorsFile(path)).count == 28)
    // Whoever stores another head means it to be used.
    try SafetensorsWriter.write(tensors + [(name: tied.name, tensor: tied.tensor + 1)], to: path)
    let untied = #expect(throws: Failure.self) { try family.parameters(configuration, from: SafetensorsFile(path)) }
    #expect(untied?.status == .badData && untied?.message.contains("lm_head.weight other than") == true)
    try SafetensorsWriter.write(tensors + [stranger], to: path)
    let failure = #expect(throws: Failure.self) {
      try family.parameters(configuration, from: SafetensorsFile(path))
    }
    #expect(failure?.message.contains("transformer.h.0.attn.extra") == true)
  }

  @Test func `OpenAI's GPT-2, whose tensors lack the usual beginning of their names, is the same model`() throws {
    let (family, configuration) = try ModelFamily.read(configuration("gpt2"), source: "config.json")
    let stored = try SafetensorsFile("\(fixture("gpt2"))/model.safetensors")
    let tensors = try stored.entries.map { entry in
      (name: String(entry.name.dropFirst("transformer.".count)), tensor: try Tensor(entry))
    }
    #expect(tensors.contains { $0.name == "h.0.attn.c_attn.weight" } && tensors.contains { $0.name == "wte.weight" })
    let folder = try TemporaryFolder()
    let path = folder("model.safetensors")
    try SafetensorsWriter.write(tensors + [(name: "h.0.attn.bias", tensor: Tensor.ones([1, 1, 16, 16]))], to: path)
    let bare = try family.parameters(configuration, from: SafetensorsFile(path))
    let usual = try family.parameters(configuration, from: stored)
    for (a, b) in zip(bare, usual) { #expect(a.name == b.name && a.tensor.floats == b.tensor.floats) }
    #expect(bare.count == usual.count)
  }

  private func configuration(_ name: String) throws -> JSON {
    let path = "\(fixture(name))/config.json"
    return try JSON(parsing: Files.read(path), source: path)
  }

  private func published(_ name: String) throws -> LanguageModel { try PretrainedModel.open(fixture(name)).load() }
}
