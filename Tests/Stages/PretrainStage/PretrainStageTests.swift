import Artifacts
import Configuration
import Diagnostics
import Files
import JSON
import LanguageModels
import StageDescriptions
import TempNet
import TestSupport
import Testing
import TokenizeStage
import Torch

@testable import PretrainStage

@Suite(.serialized) struct PretrainStageTests {
  private let folder: TemporaryFolder
  private let tokens: String

  /// A text with regularities that a small model finds within a few steps.
  init() throws {
    folder = try TemporaryFolder()
    let words = ["the", "cat", "sat", "on", "a", "mat", "and", "purred", "softly"]
    var state = 7
    let text = (0..<6000).map { index in
      state = (state * 1_103_515_245 + 12345) & 0x7FFF_FFFF
      return words[(index + state / 65536 % 2) % words.count] + (index % 20 == 19 ? ".\n" : "")
    }
    try folder.write(text.joined(separator: " "), to: "text.txt")
    tokens = folder("tokens")
    let request = try StageRequest<Tokenize>(
      try .resolve(["corpus=[\(folder("text.txt"))]", "vocabulary=270"]), inputs: [:], output: tokens,
      digests: .forProgram)
    _ = try TokenizeStage.run(request)
  }

  private static let shape = ["model.layers=2", "model.width=32", "model.heads=2"]
  private static let small = [
    "context=32", "batch=4", "tempnet.hidden=16", "steps=12",
    "validation_interval=5", "log_interval=4", "checkpoint_interval=3", "threads=1", "device=cpu", "compute=float32",
  ]

  private func request(
    _ output: String, _ settings: [String] = [], shape: [String] = shape, model: String? = nil
  ) throws -> StageRequest<Pretrain> {
    try StageRequest<Pretrain>(
      try .resolve(shape + Self.small + settings), inputs: ["tokens": [tokens], "model": model.map { [$0] } ?? []],
      output: folder(output), digests: .forProgram)
  }

  @Test func `an artifact holds the model, its TempNet, the tokenizer and the metrics`() throws {
    let artifact = try PretrainStage.run(request("model"))
    #expect(
      artifact.manifest.files.map(\.path) == [
        "config.json", "events.out.tfevents.0.tempnet", "metrics.jsonl", "model.safetensors", "tempnet.safetensors",
        "tokenizer.json",
      ])
    let model = try LanguageModel.load(artifact.path)
    #expect(model.configuration.vocabulary == 270 && model.configuration.layers == 2)
    #expect(artifact.summary["parameters"]?.intValue == model.parameterCount)
    let network = try TemperatureNetwork.load(artifact.file("tempnet.safetensors"))
    #expect(network.settings.tauMin == 0.5 && network.settings.tauMax == 5)
    #expect(abs(network.settings.targetEntropy - 2.8) < 1e-12)
    let validation = try #require(artifact.summary["validation"])
    #expect((validation["cross_entropy"]?.doubleValue ?? 9) < 5.5, "ln 270 is what knowing nothing costs")
  }

  @Test(arguments: PretrainConfiguration.Objective.allCases)
  func `stopped again and again and continued, a run comes to the same bytes`(
    objective: PretrainConfiguration.Objective
  ) throws {
    let settings = ["objective=\(objective.rawValue)", "model.dropout=0.1", "micro_batch=3"]
    let whole = try PretrainStage.run(request("whole", settings))
    try expectSameWhenStopped(whole, settings)
    #expect(whole.contains("tempnet.safetensors") == objective.trainsTempNet)
  }

  @Test func `so does a run that goes on with a TempNet, and one with scales among its inputs`() throws {
    let scaled = ["tempnet.input=scaled"]
    let first = try PretrainStage.run(request("first", scaled))
    try expectSameWhenStopped(first, scaled)
    let further = try PretrainStage.run(request("whole", scaled, shape: [], model: first.path))
    try expectSameWhenStopped(further, scaled, model: first.path)
  }

  private func expectSameWhenStopped(_ whole: Artifact, _ settings: [String], model: String? = nil) throws {
    let output = "\(Files.name(of: whole.path))-parts"
    var stops = 0
    while true {
      do {
        let limit = stops < 3 ? ["time_limit=0.02"] : []
        let parts = try PretrainStage.run(
          request(output, settings + limit, shape: model == nil ? Self.shape : [], model: model))
        #expect(parts.manifest.files == whole.manifest.files)
        break
      } catch let failure as Failure where failure.status == .tryAgain {
        #expect(failure.message.contains("time limit"))
        stops += 1
      }
    }
    #expect(stops > 0)
  }

  @Test func `in bfloat16 a run learns the same, and goes on to the same bytes`() throws {
    let settings = ["objective=robust", "compute=bfloat16"]
    let whole = try PretrainStage.run(request("whole", settings))
    try expectSameWhenStopped(whole, settings)
    let exact = try PretrainStage.run(request("exact", ["objective=robust"]))
    func loss(_ artifact: Artifact) throws -> Double {
      try #require(artifact.summary["validation"]?["loss"]?.doubleValue)
    }
    let (rounded, expected) = (try loss(whole), try loss(exact))
    #expect(rounded != expected && abs(rounded - expected) < 5e-3 * abs(expected))
  }

  /// Golden numbers of this version: when these change, so do results of equal keys, and the version must be raised.
  @Test(arguments: [
    (PretrainConfiguration.Objective.crossEntropy, [5.07845, 4.99538]),
    (.robustExact, [0.88936, 0.80796]), (.tempnetCrossEntropy, [5.41507, 5.38612]), (.robust, [7.45545, 7.37690]),
  ])
  func `the losses of a few steps are those of this version`(
    objective: PretrainConfiguration.Objective, expected: [Double]
  ) throws {
    #expect(Pretrain.version == 8)
    let artifact = try PretrainStage.run(
      request("golden", ["objective=\(objective.rawValue)", "steps=8", "validation_interval=4"]))
    let lines = try text(artifact.file("metrics.jsonl")).split(separator: "\n")
    let rows = try lines.map { try JSON(parsing: Array($0.utf8), source: "metrics.jsonl") }
    let losses = rows.compactMap { $0["validation"]?["loss"]?.doubleValue }
    try #require(losses.count == 2)
    // Processors round differently.
    for (loss, expected) in zip(losses, expected) { #expect(abs(loss - expected) < 2e-4, "\(losses)") }
  }

  @Test func `a model is trained further, and its TempNet with it`() throws {
    let first = try PretrainStage.run(request("first"))
    // Published coordinates, in which the TempNet's weights go in and out as they are.
    let further = [
      "tempnet.coordinates=published",
      "context=16", "batch=2", "steps=1", "optimiser.learning_rate=0", "optimiser.learning_rate_floor=0",
      "tempnet.learning_rate=0", "tempnet.learning_rate_floor=0", "tempnet.hidden=16", "validation_interval=5",
    ]
    let second = try PretrainStage.run(
      try StageRequest<Pretrain>(
        try .resolve(further), inputs: ["tokens": [tokens], "model": [first.path]], output: folder("second"),
        digests: .forProgram))
    for name in ["model.safetensors", "tempnet.safetensors", "config.json"] {
      #expect(try Files.read(second.file(name)) == Files.read(first.file(name)), "\(name) at a rate of 0")
    }
    #expect(second.manifest.inputs.map(\.key).contains(first.key))

    let standardised = try PretrainStage.run(
      try StageRequest<Pretrain>(
        try .resolve(Array(further.dropFirst())), inputs: ["tokens": [tokens], "model": [first.path]],
        output: folder("standardised"), digests: .forProgram))
    TorchRuntime.seed(3)
    let logits = Tensor.normal([5, 270])
    let temperatures = try [first, standardised].map { artifact in
      try TemperatureNetwork.load(artifact.file("tempnet.safetensors"))(logits).doubles
    }
    for (a, b) in zip(temperatures[0], temperatures[1]) {
      #expect(abs(a - b) < 1e-5, "in other coordinates it is the same network")
    }
  }

  private func expectRefusal(
    _ words: String, _ settings: [String], model: String? = nil, _ status: Diagnostics.ExitStatus = .badConfiguration
  ) {
    #expect("refused with '\(words)'") {
      try PretrainStage.run(request("refused", settings, model: model))
    } throws: { error in
      (error as? Failure)?.status == status && "\(error)".contains(words)
    }
    #expect(!Files.exists(folder("refused.partial")), "nothing may be left that is in the way of a better attempt")
  }

  @Test func `what cannot work is refused before anything is made`() throws {
    expectRefusal("ln 270 = 5.5984", ["rho=5.8"])
    expectRefusal("ln 270 = 5.5984", ["entropy=6"])
    expectRefusal("heads", ["model.heads=3"])
    expectRefusal("give one", ["entropy=3", "rho=3"])
    expectRefusal("tau_max", ["tau_max=0.3"])
    let model = try PretrainStage.run(request("model", ["steps=1"])).path
    expectRefusal("a shape of its own", [], model: model, .badConfiguration)
  }

  @Test func `a model is not trained further on ids of another vocabulary`() throws {
    let model = try PretrainStage.run(request("model", ["steps=1"])).path
    try folder.write(String(repeating: "Zwölf Boxkämpfer jagen Viktor quer.\n", count: 400), to: "other.txt")
    let other = try TokenizeStage.run(
      try StageRequest<Tokenize>(
        try .resolve(["corpus=[\(folder("other.txt"))]", "vocabulary=270"]), inputs: [:], output: folder("other"),
        digests: .forProgram)
    ).path
    let further = ["context=32", "batch=4", "steps=1", "tempnet.hidden=16", "device=cpu"]
    #expect {
      try PretrainStage.run(
        try StageRequest<Pretrain>(
          try .resolve(further), inputs: ["tokens": [other], "model": [model]], output: folder("further"),
          digests: .forProgram))
    } throws: {
      ($0 as? Failure) == Failure(.badData, "has another tokenizer than that of \(other)", at: model)
    }
    #expect(!Files.exists(folder("further.partial")))
  }
}

extension ResolvedConfiguration {
  static func resolve(_ settings: [String]) throws -> Self {
    try Configuration.resolve(file: nil, overrides: settings.map(ConfigurationOverride.init(parsing:)))
  }
}
