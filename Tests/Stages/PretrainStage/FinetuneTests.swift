import Artifacts
import Configuration
import Diagnostics
import Files
import Glibc
import JSON
import LanguageModels
import ModelDescriptions
import ModelFiles
import StageDescriptions
import TempNet
import TestSupport
import Testing
import TokenWindows
import TokenizeStage
import Torch
import Training
import Weights

@testable import PretrainStage

/// `Fixtures/make_gradients.py` made the expected numbers.
@Suite struct PublishedGradientTests {
  private static let here = Files.folder(of: #filePath)
  private static let models = checkout("Tests/Language/LanguageModels/Fixtures")
  private static let entropy = log(29) - 1.5

  @Test(arguments: ["llama", "gpt2", "neox"], ["plain", "tempered", "robust"])
  func `a step's loss and gradients are those of transformers`(family: String, loss: String) throws {
    let fixture = "\(Self.here)/Fixtures/\(family)-\(loss)"
    let expected = try JSON(parsing: Files.read("\(Self.here)/Fixtures/expected.json"), source: "expected.json")
    let tokens = try #require(expected["tokens"]?.arrayValue).compactMap { $0.intValue.map(Int32.init) }
    let model = try PretrainedModel.open("\(Self.models)/\(family)").load()
    model.requireGradients()
    let network = try loss == "robust" ? TemperatureNetwork.load("\(fixture)/tempnet.safetensors") : nil
    network?.requireGradients()
    let objective = TokenObjective(
      temperature: network.map { .network(JointNetwork($0, coordinates: .published)) }
        ?? .fixed(loss == "tempered" ? 0.7 : 1), isRobust: loss == "robust",
      targetEntropy: Self.entropy, bounds: 0.5...3)

    let task = try task(model, objective, tokens)
    let batch = try task.batches(step: 0)[0]
    let measured = try task.addGradients(of: batch, StepPart(step: 0, index: 0, totalWeight: 12))
    let value = try #require(measured.first { $0.name == "loss" }).sum.item / 12
    #expect(abs(value - expected["losses"]!["\(family)-\(loss)"]!.doubleValue!) < 1e-5)

    // Read as the parameters themselves would be.
    let gradients = try PretrainedModel.open(fixture).load().parameters
    for (parameter, gradient) in zip(model.parameters, gradients) {
      expectNear(parameter.tensor.gradient, gradient.tensor, parameter.name)
    }
    guard let network else { return }
    let file = try SafetensorsFile("\(fixture)/tempnet.safetensors")
    for parameter in network.parameters {
      expectNear(parameter.tensor.gradient, try Tensor(file.entry("gradient.\(parameter.name)")), parameter.name)
    }
  }

  private func task(
    _ model: LanguageModel, _ objective: TokenObjective, _ tokens: [Int32]
  ) throws -> PretrainTask<TokenArray> {
    let sequence = TokenArray(tokens, documentStarts: [0])
    return PretrainTask(
      model: model, objective: objective,
      training: try TrainingWindows(sequence, context: 12, windowsPerStep: 1, seed: 1),
      validation: try CoveringWindows(sequence, context: 12), validationBytes: 13,
      configuration: try PretrainConfiguration(["context=12", "batch=1", "loss_chunk=5"]))
  }

  private func expectNear(_ found: Tensor?, _ expected: Tensor, _ name: String) {
    guard let found else {
      Issue.record("\(name) has no gradient")
      return
    }
    let scale = expected.floats.reduce(1e-3) { max($0, abs($1)) }
    let error = zip(found.floats, expected.floats).reduce(0) { max($0, abs($1.0 - $1.1)) }
    #expect(found.shape == expected.shape && error < 2e-5 * scale, "\(name): \(error) of \(scale)")
  }
}

@Suite(.serialized) struct FinetuneTests {
  private let folder: TemporaryFolder
  private let tokens: String

  init() throws {
    folder = try TemporaryFolder()
    let words = ["the", "dog", "saw", "no", "other", "cat", "in", "the", "garden"]
    let text = (0..<4000).map { words[($0 * $0 + $0 / 7) % words.count] + ($0 % 20 == 19 ? ".\n" : "") }
    try folder.write(text.joined(separator: " "), to: "text.txt")
    tokens = folder("tokens")
    _ = try TokenizeStage.run(
      try StageRequest<Tokenize>(
        try .resolve(["corpus=[\(folder("text.txt"))]", "vocabulary=270"]), inputs: [:], output: tokens,
        digests: .forProgram))
  }

  /// A model in Hugging Face's form, as if somebody else had made it: padded to 288 logits.
  private func published() throws -> String {
    let configuration = try ModelConfiguration(
      vocabulary: 288, context: 32, width: 16, layers: 3, heads: 2, norm: .rms, activation: .swiglu, biases: .none,
      tiedHead: true, attention: .window)
    let model = LanguageModel(configuration, seed: 6)
    try Files.makeFolder(folder("published"))
    try PublishedForm(configuration, at: "test").writeHuggingFace(
      model.parameters, to: folder("published"), endOfText: 0)
    try AtomicFile.write(Files.read("\(tokens)/tokenizer.json"), to: folder("published/tokenizer.json"))
    return folder("published")
  }

  private func train(_ output: String, from model: String, _ settings: [String]) throws -> Artifact {
    let all =
      [
        "context=16", "batch=4", "steps=3", "tempnet.hidden=8", "validation_interval=3", "device=cpu", "threads=1",
        "compute=float32", "select=last",
      ] + settings
    return try PretrainStage.run(
      try StageRequest<Pretrain>(
        try .resolve(all), inputs: ["tokens": [tokens], "model": [model]], output: folder(output),
        digests: .forProgram))
  }

  @Test(arguments: PretrainConfiguration.Objective.allCases)
  func `the last blocks of a published model are trained, with any objective, and nothing else`(
    objective: PretrainConfiguration.Objective
  ) throws {
    let base = try published()
    let artifact = try train("tuned", from: base, ["objective=\(objective.rawValue)", "train_last_blocks=1"])
    let (before, after) = (try PretrainedModel.open(base).load(), try LanguageModel.load(artifact.path))
    for (a, b) in zip(before.parameters, after.parameters) {
      let isTrained = a.name.hasPrefix("blocks.2.") || a.name.hasPrefix("norm.")
      #expect((a.tensor.floats != b.tensor.floats) == isTrained, "\(a.name)")
    }
    #expect(after.configuration.vocabulary == 288)
    #expect(artifact.contains("tempnet.safetensors") == objective.trainsTempNet)
    #expect(artifact.summary["trained_parameters"]!.intValue! < artifact.summary["parameters"]!.intValue! / 2)
    #expect(artifact.manifest.inputs.contains { $0.name == "model/model.safetensors" && $0.kind == "file" })
  }

  @Test func `all of a published model is trained where nothing else is said`() throws {
    let base = try published()
    let artifact = try train("tuned", from: base, ["objective=cross_entropy"])
    let (before, after) = (try PretrainedModel.open(base).load(), try LanguageModel.load(artifact.path))
    for (a, b) in zip(before.parameters, after.parameters) { #expect(a.tensor.floats != b.tensor.floats, "\(a.name)") }
  }

  @Test func `a model that knows how conversations are written down still does when it was trained further`() throws {
    let base = try published()
    let plain = try train("plain", from: base, ["objective=cross_entropy"])
    #expect(!plain.contains(HuggingFaceFolder.chatTemplateName))
    let template = "{% for message in messages %}{{ message['content'] }}{% endfor %}\n"
    try AtomicFile.write(template, to: "\(base)/\(HuggingFaceFolder.chatTemplateName)")
    let artifact = try train("tuned", from: base, ["objective=cross_entropy"])
    #expect(try PretrainedModel.open(artifact.path).chatTemplate() == template)
    #expect(artifact.manifest.inputs.contains { $0.name == "model/\(HuggingFaceFolder.chatTemplateName)" })
  }

  /// Both sides of a comparison learn from the same tokens in the same order. Where no weight moves and every
  /// temperature is next to 1, a step's cross-entropy tells which tokens it read.
  @Test func `the objective does not decide the order of the data`() throws {
    let base = try published()
    func crossEntropies(_ objective: PretrainConfiguration.Objective, seed: Int) throws -> [Double] {
      let artifact = try train(
        "\(objective.rawValue)-\(seed)", from: base,
        [
          "objective=\(objective.rawValue)", "seed=\(seed)", "log_interval=1", "optimiser.learning_rate=0",
          "optimiser.learning_rate_floor=0", "tau_min=1", "tau_max=1.0001",
        ])
      return try text(artifact.file("metrics.jsonl")).split(separator: "\n").compactMap { line in
        try JSON(parsing: String(line), source: "metrics.jsonl")["training"]?["tempered_cross_entropy"]?.doubleValue
      }
    }
    func differ(_ a: [Double], _ b: [Double], by tolerance: Double) -> Bool {
      zip(a, b).contains { abs($0 - $1) > tolerance }
    }
    let expected = try crossEntropies(.crossEntropy, seed: 1)
    try #require(expected.count == 3)
    for objective in PretrainConfiguration.Objective.allCases where objective != .crossEntropy {
      let found = try crossEntropies(objective, seed: 1)
      #expect(found.count == 3 && !differ(found, expected, by: 1e-4), "\(objective): \(found), \(expected)")
    }
    // Another order would show.
    #expect(differ(try crossEntropies(.crossEntropy, seed: 2), expected, by: 1e-3))
  }

  @Test(arguments: [
    ("tau_max", "tau_max=4"), ("tau_min", "tau_min=0.25"), ("tempnet.hidden", "tempnet.hidden=9"),
    ("tempnet.input", "tempnet.input=centred"),
  ])
  func `a TempNet is not trained further under settings that give its weights another meaning`(
    key: String, setting: String
  ) throws {
    let first = try train("first", from: try published(), ["objective=robust"])
    let failure = #expect(throws: Failure.self) {
      try train("second", from: first.path, ["objective=robust", setting])
    }
    #expect(failure?.status == .badConfiguration && failure?.place == key)
    // Another budget is another aim for the same network.
    let other = try train("third", from: first.path, ["objective=robust", "entropy=2"])
    #expect(abs(try TemperatureNetwork.load(other.file("tempnet.safetensors")).settings.targetEntropy - 2) < 1e-9)
  }

  @Test func `blocks that a model does not have, or has no model for, cannot be trained`() throws {
    let base = try published()
    let failure = #expect(throws: Failure.self) { try train("tuned", from: base, ["train_last_blocks=4"]) }
    #expect(failure?.place == "train_last_blocks" && failure?.message.contains("3 blocks") == true)
    let withoutModel = #expect(throws: Failure.self) {
      try StageRequest<Pretrain>(
        try .resolve(["train_last_blocks=1"]), inputs: ["tokens": [tokens]], output: folder("new"),
        digests: .forProgram)
    }
    #expect(withoutModel?.status == .badConfiguration && withoutModel?.message.contains("train_last_blocks") == true)
  }
}
