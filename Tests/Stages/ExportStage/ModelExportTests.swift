import Artifacts
import Configuration
import Diagnostics
import ExportStage
import Files
import Foundation
import JSON
import LanguageModels
import ModelDescriptions
import ModelFiles
import StageDescriptions
import TempNet
import TemperatureSettings
import TestSupport
import Testing
import Tokenization
import Torch
import Weights

@Suite struct ModelExportTests {
  private let folder = try! TemporaryFolder()
  private static let tokenizerText = "A ship, 12 whales: naïve!"

  /// Models of every class that has a published form.
  static let forms: [(String, ModelConfiguration)] = [
    (
      "gpt2",
      try! ModelConfiguration(
        vocabulary: 310, context: 24, width: 16, layers: 2, heads: 4, positions: .learned, activation: .geluTanh,
        tiedHead: true)
    ),
    (
      "gpt_neox",
      try! ModelConfiguration(
        vocabulary: 310, context: 24, width: 16, layers: 2, heads: 2, rotaryFraction: 0.5)
    ),
    (
      "gpt_neox",
      try! ModelConfiguration(
        vocabulary: 310, context: 24, width: 16, layers: 2, heads: 4, activation: .geluTanh, parallelResidual: true)
    ),
    (
      "llama",
      try! ModelConfiguration(
        vocabulary: 310, context: 24, width: 16, layers: 2, heads: 4, keyValueHeads: 2, headWidth: 6, feedForward: 24,
        norm: .rms, normEpsilon: 1e-6, rotaryBase: 700, activation: .swiglu, biases: .none, tiedHead: true)
    ),
    (
      "llama",
      try! ModelConfiguration(
        vocabulary: 310, context: 24, width: 16, layers: 2, heads: 2, feedForward: 24, norm: .rms,
        rotaryScaling: .llama3(factor: 8, low: 1, high: 4, original: 32), activation: .swiglu, biases: .none)
    ),
    (
      "llama",
      try! ModelConfiguration(
        vocabulary: 310, context: 24, width: 16, layers: 2, heads: 2, feedForward: 24, norm: .rms,
        rotaryScaling: .linear(factor: 3), activation: .swiglu, biases: .none)
    ),
    (
      "qwen2",
      try! ModelConfiguration(
        vocabulary: 310, context: 24, width: 16, layers: 2, heads: 4, keyValueHeads: 2, feedForward: 24, norm: .rms,
        activation: .swiglu, biases: .queryKeyValue)
    ),
  ]

  private func publish(_ configuration: ModelConfiguration) throws -> LanguageModel {
    let model = LanguageModel(configuration, seed: 4)
    for (index, parameter) in model.parameters.enumerated() {
      TorchRuntime.seed(9, stream: 0, index: UInt64(index))
      parameter.tensor.add(.normal(parameter.tensor.shape, standardDeviation: 0.2))
    }
    try Files.remove(folder("model"))
    let builder = try ArtifactBuilder(
      output: folder("model"),
      identity: StageIdentity(
        program: "tempnet-pretrain", stage: "pretrain", stageVersion: 1, kind: .model,
        configuration: configuration.json, inputs: []))
    _ = try builder.path(for: "model.safetensors")
    try model.save(to: Files.folder(of: builder.path(for: "config.json")))
    try AtomicFile.write(smallTokenizer, to: builder.path(for: "tokenizer.json"))
    _ = try builder.publish(summary: [:])
    return model
  }

  /// A vocabulary of 310 entries.
  private var smallTokenizer: String {
    let path = checkout("Tests/Language/Tokenization/Fixtures/tokenizer.json")
    var file = try! JSON(parsing: Files.read(path), source: path)
    let tokens = file["model"]!["vocab"]!.objectValue!.filter { $0.value.intValue! < 310 }
    file["model"]!["vocab"] = .object(JSONObject(tokens.map { ($0.key, $0.value) }))
    file["model"]!["merges"] = .array(Array(file["model"]!["merges"]!.arrayValue!.prefix(310 - 257)))
    return file.pretty
  }

  private func export(_ format: String, inputs: [String: [String]]? = nil) throws -> Artifact {
    let configuration = try ExportConfiguration.resolve(
      file: nil, overrides: [ConfigurationOverride(parsing: "format=\(format)")])
    try Files.remove(folder(format))
    return try ExportStage.run(
      StageRequest<Export>(
        configuration, inputs: inputs ?? ["model": [folder("model")]], output: folder(format), digests: .forProgram))
  }

  /// A copy of an exported folder as a user has it, without our manifest.
  private func takeAway(_ artifact: Artifact) throws -> String {
    try Files.remove(folder("taken"))
    for file in artifact.manifest.files {
      try Files.makeFolder(folder("taken"))
      try AtomicFile.write(Files.read(artifact.file(file.path)), to: folder("taken/\(file.path)"))
    }
    return folder("taken")
  }

  @Test(arguments: forms)
  func `a model exported for transformers is read back as it was`(_ type: String, _ configuration: ModelConfiguration)
    throws
  {
    let model = try publish(configuration)
    let taken = try takeAway(export("huggingface"))
    let read = try PretrainedModel.open(taken)
    #expect(read.source.isPublished)
    #expect(read.configuration == configuration)
    #expect(try read.load().parameters.map(\.tensor.floats) == model.parameters.map(\.tensor.floats))
    let own = try Tokenizer(path: folder("model"))
    #expect(try Tokenizer(path: taken).encode(Self.tokenizerText) == own.encode(Self.tokenizerText))
    guard slowTestsEnabled else { return }
    try compare(model, with: taken)
  }

  @Test(arguments: forms.filter { $0.0 != "gpt_neox" })
  func `a model exported as GGUF is read back as it was`(_ type: String, _ configuration: ModelConfiguration) throws {
    let model = try publish(configuration)
    let path = "\(try takeAway(export("gguf")))/model.gguf"
    let read = try PretrainedModel.open(path)
    let tokens = Tensor((0..<24).map { $0 * 13 % 310 }, shape: [1, 24])
    #expect(try read.load().parameters.map(\.tensor.floats) == model.parameters.map(\.tensor.floats))
    let logits = try withoutGradients {
      let again = try read.load()
      return (again.logits(again.hiddenStates(tokens)) - model.logits(model.hiddenStates(tokens))).abs().floats.max()!
    }
    #expect(logits < 1e-5)
    let own = try Tokenizer(path: folder("model"))
    #expect(try Tokenizer(path: path).encode(Self.tokenizerText) == own.encode(Self.tokenizerText))
    #expect(try Tokenizer(path: path).endOfText == own.endOfText)
    guard slowTestsEnabled else { return }
    try compare(model, with: path)
  }

  @Test(.enabled(if: slowTestsEnabled || python != nil), arguments: [TempNetSettings.Input.centred, .scaled])
  func `llama.cpp runs a copy with a TempNet as it runs the model without`(input: TempNetSettings.Input) throws {
    let python = try #require(python, "TEMPNET_PYTHON names no interpreter")
    _ = try publish(Self.forms[3].1)
    let original = "\(try takeAway(export("gguf")))/model.gguf"
    _ = try fittedTempNet(input, folder("fitted"), vocabulary: 310)
    let copy = try export("gguf", inputs: ["tempnet": [folder("fitted")], "model": [original]]).file("model.gguf")
    let said = try output(
      of: python, [checkout("Tests/Stages/ExportStage/Fixtures/llama_cpp.py"), original, copy, "0.875"])
    #expect(said.contains("the same 16 tokens") && said.contains("drawn at the temperature"), "\(said)")
  }

  @Test(.enabled(if: slowTestsEnabled))
  func `llama.cpp runs the copy of a published quantised file as it runs the file`() throws {
    let python = try #require(python, "TEMPNET_PYTHON names no interpreter")
    let original = checkout("data/cache/smollm2/SmolLM2-135M-Instruct.Q4_1.gguf")
    _ = try fittedTempNet(.centred, folder("fitted"), vocabulary: 49_152)
    let copy = try export("gguf", inputs: ["tempnet": [folder("fitted")], "model": [original]]).file("model.gguf")
    let said = try output(
      of: python, [checkout("Tests/Stages/ExportStage/Fixtures/llama_cpp.py"), original, copy, "0.875"])
    #expect(said.contains("the same 16 tokens") && said.contains("drawn at the temperature"), "\(said)")
  }

  /// Has Python load the model and compare.
  private func compare(_ model: LanguageModel, with path: String) throws {
    let tokens = Tensor((0..<48).map { $0 * 17 % 310 }, shape: [2, 24])
    let ids = try Tokenizer(path: folder("model")).encode(Self.tokenizerText).map(Int.init)
    try SafetensorsWriter.write(
      [
        ("tokens", tokens), ("logits", withoutGradients { model.logits(model.hiddenStates(tokens)) }),
        ("text", Tensor(ids)),
        ("parameters", Tensor([model.parameterCount], shape: [])),
      ], to: folder("expected.safetensors"))
    let process = Process()
    process.executableURL = URL(fileURLWithPath: try #require(python))
    process.arguments = [
      checkout("Tests/Stages/ExportStage/Fixtures/compare_model.py"), path, folder("expected.safetensors"),
      Self.tokenizerText,
    ]
    let output = Pipe()
    process.standardError = output
    try process.run()
    let said = try output.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0, "\(String(decoding: said.suffix(2000), as: UTF8.self))")
  }

  @Test func `what no published class computes is refused by name`() throws {
    let odd: [(String, ModelConfiguration)] = [
      ("norm rms", try ModelConfiguration(vocabulary: 310, context: 24, width: 16, layers: 1, heads: 2, norm: .rms)),
      (
        "every head",
        try ModelConfiguration(
          vocabulary: 310, context: 24, width: 16, layers: 1, heads: 2, keyValueHeads: 1)
      ),
      (
        "whole heads",
        try ModelConfiguration(
          vocabulary: 310, context: 24, width: 16, layers: 1, heads: 2, norm: .rms, rotaryFraction: 0.5,
          activation: .swiglu, biases: .none)
      ),
    ]
    for (word, configuration) in odd {
      _ = try publish(configuration)
      let failure = #expect(throws: Failure.self) { try export("huggingface") }
      #expect(failure?.status == .badData)
      #expect(failure?.message.contains(word) == true)
    }
  }

  @Test(arguments: [ModelConfiguration.Positions.rotary, .learned])
  func `what GGUF's families do not compute is refused with the settings at fault, and those that would do`(
    positions: ModelConfiguration.Positions
  ) throws {
    _ = try publish(
      try ModelConfiguration(
        vocabulary: 310, context: 24, width: 16, layers: 1, heads: 2, positions: positions, activation: .gelu))
    let thrown = #expect(throws: Failure.self) { try export("gguf") }
    let failure = try #require(thrown)
    #expect(failure.status == .badData && failure.place == folder("model"))
    for words in [
      "model.activation: gelu", "model.activation: gelu_tanh", "model.activation: swiglu", "model.positions: learned",
      "huggingface",
    ] {
      #expect(failure.message.contains(words), "\(failure)")
    }
  }

  @Test func `a scaling of rotary frequencies that GGUF has no name for is refused in the model's name`() throws {
    _ = try publish(
      try ModelConfiguration(
        vocabulary: 310, context: 24, width: 16, layers: 1, heads: 2, feedForward: 24, norm: .rms,
        rotaryScaling: .dynamic(factor: 2, original: 24), activation: .swiglu, biases: .none))
    let failure = #expect(throws: Failure.self) { try export("gguf") }
    #expect(failure?.place == folder("model") && failure?.message.contains("rotary_scaling") == true)
  }

  @Test func `a format is made of what it needs`() throws {
    _ = try publish(Self.forms[0].1)
    let none = #expect(throws: Failure.self) { try export("huggingface", inputs: [:]) }
    #expect(none?.status == .badConfiguration)
    let other = #expect(throws: Failure.self) { try export("bundle") }
    #expect(other?.message == "is a language model, which has no form bundle")
  }
}
