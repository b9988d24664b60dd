import Diagnostics
import Files
import JSON
import ModelDescriptions
import RandomNumbers
import TestSupport
import Testing
import Torch
import Weights

@testable import LanguageModels
@testable import ModelFiles

@Suite struct PretrainedModelTests {
  private let folder = try! TemporaryFolder()

  @Test func `a folder of ours, a published one and a GGUF file are told apart`() throws {
    try LanguageModel(Examples.llama, seed: 2).save(to: folder.path)
    let own = try PretrainedModel.open(folder.path)
    #expect(!own.source.isPublished)
    #expect(own.configuration == Examples.llama)
    #expect(
      try own.load().parameters.map(\.tensor.floats)
        == LanguageModel(Examples.llama, seed: 2).parameters.map(\.tensor.floats))
    #expect(try PretrainedModel.open(fixture("llama")).source.isPublished)
    #expect(try PretrainedModel.open("\(fixture("llama"))/model.gguf").source.files.map(\.name) == [""])
    #expect(
      try PretrainedModel.open(fixture("llama-llama3")).source.files.map(\.name)
        == ["config.json", "model.safetensors.index.json"] + (1...8).map { "model-0000\($0)-of-00008.safetensors" })
  }

  @Test func `what is no model is refused`() throws {
    expectRefusal(.missingInput, "no such model") { try PretrainedModel.open(folder("none")) }
    expectRefusal(.missingInput, "config.json") { try PretrainedModel.open(folder.path) }
    try folder.write("once upon a time", to: "story.txt")
    expectRefusal(.badData, "neither a GGUF file") { try PretrainedModel.open(folder("story.txt")) }
    try copy("llama", ["config.json"])
    expectRefusal(.missingInput, "neither model.safetensors nor") { try PretrainedModel.open(folder.path) }
    try folder.write("", to: "pytorch_model.bin")
    expectRefusal(.missingInput, "pickle") { try PretrainedModel.open(folder.path) }
  }

  @Test func `an index that does not fit its files is refused`() throws {
    let name = "model-00003-of-00008.safetensors"
    let all = try Files.list(fixture("llama-llama3"))
    try copy("llama-llama3", all.filter { $0 != name })
    expectRefusal(.missingInput, name) { try PretrainedModel.open(folder.path).load() }
    try copy("llama-llama3", [name])
    #expect(throws: Never.self) { try PretrainedModel.open(folder.path).load() }

    let path = folder("model.safetensors.index.json")
    let index = try JSON(parsing: Files.read(path), source: path)
    func change(_ tensor: String, to file: JSON?) throws {
      var changed = index
      changed["weight_map"]![tensor] = file
      try AtomicFile.write(changed.pretty, to: path)
    }
    let load = { try PretrainedModel.open(folder.path).load() }
    try change("model.norm.weight", to: nil)
    expectRefusal(.badData, "model.norm.weight", load)
    try change("model.norm.weight", to: .string(name == all[2] ? "model-00001-of-00008.safetensors" : name))
    expectRefusal(.badData, "model.norm.weight", load)
    try change("model.norm.weight", to: "../model-00001-of-00008.safetensors")
    expectRefusal(.badData, "weight_map", load)
    try change("model.norm.weight", to: 5)
    expectRefusal(.badData, "weight_map", load)
    try change("model.extra.weight", to: "model-00001-of-00008.safetensors")
    expectRefusal(.badData, "model.extra.weight", load)
  }

  @Test func `a GGUF file with something unknown is refused by name`() throws {
    let sound = try Files.read("\(fixture("llama"))/model.gguf")
    // Same length, so that nothing else moves.
    let renamed = [
      ("blk.1.ffn_norm.weight", "blk.1.ffn_noun.weight"), ("llama.rope.freq_base", "llama.rope.freq_bass"),
      ("llama.rope.dimension_count", "llama.rope.dimension_kount"), ("general.architecture", "general.architektura"),
    ]
    for (name, other) in renamed {
      try folder.write("", to: "model.gguf")
      try AtomicFile.write(
        sound.replacing(Array(name.utf8), with: Array(other.utf8).prefix(name.utf8.count)), to: folder("model.gguf"))
      let failure = #expect(throws: Failure.self) { try PretrainedModel.open(folder("model.gguf")).load() }
      #expect(failure?.status == .badData)
      let word = name == "general.architecture" ? name : String(other.prefix(name.utf8.count))
      #expect(failure?.message.contains(word) == true, "\(String(describing: failure))")
    }
    try AtomicFile.write(sound.replacing(Array("llama".utf8), with: Array("mamba".utf8)), to: folder("model.gguf"))
    expectRefusal(.badData, "\"mamba\"; supported are gpt2, gptneox, llama, qwen2") {
      try PretrainedModel.open(folder("model.gguf"))
    }
  }

  @Test func `a GGUF file with heads of a size beyond all numbers is refused`() throws {
    var file = try Files.read("\(fixture("llama"))/model.gguf")
    // What else tells of the size is there no more.
    for name in ["llama.attention.value_length", "llama.rope.dimension_count"] {
      file = file.replacing(Array(name.utf8), with: Array("general.".utf8) + Array(name.utf8).dropFirst(8))
    }
    // The value is a 32-bit integer behind its type; a 64-bit one, type 10, takes four bytes more.
    let place = file.firstRange(of: Array("llama.attention.key_length".utf8))!.upperBound
    let huge = [10, 0, 0, 0] + withUnsafeBytes(of: UInt64(Int64.max).littleEndian, Array.init)
    file.replaceSubrange(place..<place + 8, with: huge)
    try AtomicFile.write(file + [UInt8](repeating: 0, count: 32), to: folder("model.gguf"))
    expectRefusal(.badData, "rope.dimension_count") { try PretrainedModel.open(folder("model.gguf")) }
  }

  @Test func `tensors whose names differ only in how a letter is composed are two`() throws {
    try copy("llama", ["config.json"])
    let weights = try SafetensorsFile("\(fixture("llama"))/model.safetensors")
    var map = JSONObject(weights.entries.map { ($0.name, JSON.string("a.safetensors")) })
    for name in ["\u{E9}", "e\u{301}"] { map[name] = "a.safetensors" }
    try AtomicFile.write(JSON.object(["weight_map": .object(map)]).pretty, to: folder("model.safetensors.index.json"))
    try AtomicFile.write(Files.read(weights.path), to: folder("a.safetensors"))
    expectRefusal(.badData, "\u{E9}") { try PretrainedModel.open(folder.path).load() }
    map = ["model.norm.weight": "\u{E9}.safetensors"]
    try AtomicFile.write(JSON.object(["weight_map": .object(map)]).pretty, to: folder("model.safetensors.index.json"))
    expectRefusal(.badData, "weight_map") { try PretrainedModel.open(folder.path).load() }
  }

  @Test func `loading takes little more memory than the weights`() throws {
    try copy("llama", ["config.json"])
    let path = folder("config.json")
    var json = try JSON(parsing: Files.read(path), source: path)
    for (name, value) in ["vocab_size": 40_000, "hidden_size": 256, "intermediate_size": 2048, "num_hidden_layers": 6] {
      json[name] = .integer(value)
    }
    try AtomicFile.write(json.pretty, to: path)
    let (family, configuration) = try ModelFamily.read(json, source: path)
    let own = configuration.parameters.map { NamedTensor($0.name, .zeros($0.shape)) }
    let held = Double(own.reduce(0) { $0 + $1.tensor.count } * 4)
    let tensors = family.layout.stored(own, configuration).map { ($0.name, $0.tensor) }
    try SafetensorsWriter.write(tensors, to: folder("model.safetensors"))
    TorchRuntime.trimMemory()
    let before = memory("VmRSS")
    resetPeak()
    let model = try PretrainedModel.open(folder.path).load()
    #expect(Double(model.parameterCount * 4) == held && held > 100e6)
    let taken = Double(memory("VmHWM") - before)
    #expect(taken < 1.2 * held + 50e6, "\(taken) for \(held)")
  }

  @Test func `rotary scaling is kept in a model of ours`() throws {
    for name in ["llama-linear", "llama-dynamic", "llama-llama3"] {
      let model = try PretrainedModel.open(fixture(name)).load()
      try model.save(to: folder.path)
      #expect(try ModelConfiguration(readingFolder: folder.path) == model.configuration)
    }
    let factors = try PretrainedModel.open("\(fixture("llama-llama3"))/model.gguf").load()
    try factors.save(to: folder.path)
    #expect(try ModelConfiguration(readingFolder: folder.path) == factors.configuration)
    #expect(try !text(folder("config.json")).isEmpty)
  }

  @Test func `windows of every length see the angles that they would see alone`() throws {
    let model = try PretrainedModel.open(fixture("llama-dynamic")).load()
    let tokens = randomTokens(model.configuration, [1, 16])
    func last(_ model: LanguageModel, _ length: Int) -> [Float] {
      withoutGradients { model.hiddenStates(tokens[0..<1].narrowed(1, 0..<length)) }.floats
    }
    let inTurn = [4, 12, 8, 16, 5, 12].map { last(model, $0) }
    let alone = try [4, 12, 8, 16, 5, 12].map { last(try PretrainedModel.open(fixture("llama-dynamic")).load(), $0) }
    #expect(inTurn == alone)
  }

  @Test func `sizes that no file could have are refused before memory is taken for them`() throws {
    try copy("llama", ["model.safetensors"])
    let path = "\(fixture("llama"))/config.json"
    let sound = try JSON(parsing: Files.read(path), source: path)
    let names = [
      "num_hidden_layers", "vocab_size", "hidden_size", "intermediate_size", "num_attention_heads", "head_dim",
      "max_position_embeddings", "num_key_value_heads",
    ]
    for name in names {
      // A long context takes nothing before it is used.
      let isContext = name == "max_position_embeddings"
      for value in [0, -1, 1 << 31, Int.max] + (isContext ? [] : [1 << 29, 1 << 30]) {
        var json = sound
        json[name] = .integer(value)
        try AtomicFile.write(json.pretty, to: folder("config.json"))
        expectRefusal(.badData, " ") { try PretrainedModel.open(folder.path).load() }
      }
    }
  }

  @Test(.enabled(if: slowTestsEnabled))
  func `of mutated models each is read or refused`() throws {
    let files = ["config.json", "model.safetensors"]
    let sound = try files.map { try Files.read("\(fixture("llama"))/\($0)") }
    let gguf = try Files.read("\(fixture("llama-linear"))/model.gguf")
    var random = SplitMix64(seed: 8)
    var refused = 0
    for round in 0..<20_000 {
      let path: String
      if round % 2 == 0 {
        path = folder("model.gguf")
        // The metadata, and names and sizes of tensors.
        try write(mutated(gguf, within: 3000, &random), to: path)
      } else {
        path = folder.path
        let changed = Int.random(in: 0..<2, using: &random)
        for (index, name) in files.enumerated() {
          try write(index == changed ? mutated(sound[index], within: 1500, &random) : sound[index], to: folder(name))
        }
      }
      do {
        let model = try PretrainedModel.open(path).load()
        if round % 64 == 0 { _ = withoutGradients { model.hiddenStates(Tensor([0, 1, 2], shape: [1, 3])) } }
      } catch let failure as Failure {
        refused += failure.status == .badData || failure.status == .missingInput ? 1 : 0
      }
    }
    #expect(refused > 5_000)
  }

  private func mutated(_ bytes: [UInt8], within: Int, _ random: inout SplitMix64) -> [UInt8] {
    var bytes = bytes
    for _ in 0...Int.random(in: 0..<3, using: &random) {
      let place = Int.random(in: 0..<min(bytes.count, within), using: &random)
      switch random.next() % 4 {
      case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
      case 1: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
      case 2: bytes[place] = UInt8.random(in: UInt8(ascii: "0")...UInt8(ascii: "9"), using: &random)
      default: bytes.removeSubrange(place..<min(bytes.count, place + Int.random(in: 1..<5, using: &random)))
      }
    }
    return bytes
  }

  private func write(_ bytes: [UInt8], to path: String) throws {
    let writer = try FileWriter(path)
    try writer.write(bytes)
    try writer.close()
  }

  @Test(.enabled(if: slowTestsEnabled))
  func `SmolLM2 has the log-probabilities that transformers computes`() throws {
    let path = checkout("data/cache/smollm2/SmolLM2-135M-Instruct.Q4_1.gguf")
    let source = fixture("smollm2.json")
    let expected = try JSON(parsing: Files.read(source), source: source)
    TorchRuntime.trimMemory()
    let before = memory("VmRSS")
    resetPeak()
    let model = try PretrainedModel.open(path).load()
    let held = Double(model.parameterCount * 4)
    #expect(Double(memory("VmHWM") - before) < 1.2 * held + 300e6)
    for item in expected["cases"]!.arrayValue! {
      let ids = item["ids"]!.arrayValue!.map { $0.intValue! }
      let scores = item["next_token_log_probability"]!.arrayValue!.map { $0.doubleValue! }
      let logits = withoutGradients { model.logits(model.hiddenStates(Tensor(ids, shape: [1, ids.count]))) }
      let logProbabilities = logits.reshaped([ids.count, -1]).logSoftmax(-1)
      let given = logProbabilities[0..<ids.count - 1].gathered(-1, Tensor(Array(ids[1...]), shape: [ids.count - 1, 1]))
      for (ours, theirs) in zip(given.doubles, scores) { #expect(abs(ours - theirs) < 1e-3) }
      #expect(
        logits.reshaped([ids.count, -1]).argmax(-1).integers == item["argmax"]!.arrayValue!.map { Int64($0.intValue!) })
      let entropies = (logProbabilities.exp() * logProbabilities).sum(-1).doubles
      for (ours, theirs) in zip(entropies, item["entropy"]!.arrayValue!) {
        #expect(abs(-ours - theirs.doubleValue!) < 1e-3)
      }
    }
  }

  private func copy(_ name: String, _ files: [String]) throws {
    for file in files { try AtomicFile.write(Files.read("\(fixture(name))/\(file)"), to: folder(file)) }
  }

  private func expectRefusal(_ status: Diagnostics.ExitStatus, _ word: String, _ body: () throws -> Any) {
    let failure = #expect(throws: Failure.self) { _ = try body() }
    #expect(failure?.status == status)
    #expect(failure?.description.contains(word) == true, "\(String(describing: failure))")
  }
}
