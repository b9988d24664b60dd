import Artifacts
import Diagnostics
import Files
import Foundation
import JSON
import LanguageEvaluation
import LanguageModels
import ScoreStage
import StageDescriptions
import TempNet
import TemperatureSettings
import TestSupport
import Testing
import TokenWindows
import Tokenization
import Torch
import Weights

@testable import EvaluateStage

@Suite struct EvaluateStageTests {
  @Test(arguments: ["auto", "16", "5", "1"])
  func `every token has the loss that the model gives it in its own window`(stride: String) throws {
    let world = try TinyWorld(documents: 1)
    let artifact = try world.evaluate(["stride=\(stride)", "batch_tokens=48"])
    let scores = try SafetensorsFile(artifact.file("tokens.safetensors"))
    let expected = try direct(world, stride: Int(stride) ?? TinyWorld.context)
    #expect(try scores.entry("label").integers() == expected.map { Int($0.label) })
    try expectClose(scores.entry("entropy").floats(), expected.map(\.entropy))
    try expectClose(scores.entry("cross_entropy.one").floats(), expected.map(\.crossEntropy))
    try expectClose(scores.entry("temperature.tempnet").floats(), expected.map(\.temperature))
    try expectClose(scores.entry("cross_entropy.tempnet").floats(), expected.map(\.temperedCrossEntropy))
    try expectClose(scores.entry("confidence.tempnet").floats(), expected.map(\.temperedConfidence))
    try expectClose(scores.entry("brier.tempnet").floats(), expected.map(\.temperedBrier))
    #expect(try scores.entry("correct").integers() == expected.map { $0.isCorrect ? 1 : 0 })
  }

  @Test func `documents do not see each other where the model says so`() throws {
    let world = try TinyWorld(attention: .document)
    let scores = try SafetensorsFile(world.evaluate().file("tokens.safetensors")).entry("cross_entropy.one").floats()
    // A document scored by itself, without the ones before it, by a model that sees the whole window.
    let document = world.test.documents[0]
    let tokens = try world.test.tokens(in: 0..<min(document.tokenCount, TinyWorld.context)).map(Int64.init)
    let inputs = Tensor([Int64(world.tokens.endOfText)] + tokens.dropLast(), shape: [1, tokens.count])
    let starts = Tensor([0] + [Int64](repeating: 1, count: tokens.count - 1), shape: [1, tokens.count])
    let logits = world.model.logits(world.model.hiddenStates(inputs, documentStarts: starts))[0]
    let losses = RobustLoss.temperedCrossEntropy(
      logits: logits, labels: Tensor(tokens), tau: .ones([tokens.count]))
    expectClose(Array(scores.prefix(tokens.count)), losses.floats)
  }

  @Test(arguments: [[], ["window=8"], ["window=8", "stride=3"]])
  func `a published model is measured as the same model of our own`(settings: [String]) throws {
    let world = try TinyWorld(hasOwnTempNet: false)
    let ours = try world.evaluate(settings)
    let theirs = try EvaluateStage.run(world.request(settings, model: world.published(), output: "theirs"))
    #expect(theirs.digest(of: "tokens.safetensors") == ours.digest(of: "tokens.safetensors"))
    #expect(theirs.manifest.inputs.contains { $0.name == "model/model.safetensors" && $0.kind == "file" })
  }

  @Test func `a window is no longer than what the model reads, and decides what it sees`() throws {
    let world = try TinyWorld(documents: 1)
    let failure = #expect(throws: Failure.self) { try world.evaluate(["window=17"]) }
    #expect(failure?.place == "window")
    let whole = try world.evaluate()
    let short = try world.evaluate(["window=4"], output: "short")
    #expect(whole.digest(of: "tokens.safetensors") != short.digest(of: "tokens.safetensors"))
    #expect(whole.key != short.key)
  }

  @Test func `TempNets are told apart by the settings in which they differ`() throws {
    let folder = try TemporaryFolder()
    let artifacts = try [["rho": .null, "input": "scaled", "seed": 1], ["rho": 7.5, "input": "centred", "seed": 1]]
      .enumerated().map { (index, configuration: JSON) in
        let identity = StageIdentity(
          program: "tempnet-fit", stage: "fit", stageVersion: 1, kind: .tempnet, configuration: configuration,
          inputs: [])
        return try ArtifactBuilder(output: folder("\(index)"), identity: identity).publish(summary: [:])
      }
    #expect(
      EvaluatedTempNets.titles(artifacts) == [
        "the fitted TempNet (input scaled)", "the fitted TempNet 2 (input centred, rho 7.5)",
      ])
    #expect(EvaluatedTempNets.titles([artifacts[0]]) == ["the fitted TempNet"])
  }

  @Test func `the best single temperatures are those of a fine search on the validation split`() throws {
    let world = try TinyWorld()
    let artifact = try world.evaluate()
    let scores = try SafetensorsFile(artifact.file("tokens.safetensors"))
    let best = try Double(scores.entry("temperature.best").floats()[0])
    let bestRobust = try Double(scores.entry("temperature.best-robust").floats()[0])

    let logits = try validationLogits(world)
    func mean(_ tau: Double, _ loss: (Tensor) -> Tensor) -> Double {
      loss(.full([logits.labels.size(0)], tau)).mean().item
    }
    func crossEntropy(_ tau: Double) -> Double {
      mean(tau) { RobustLoss.temperedCrossEntropy(logits: logits.logits, labels: logits.labels, tau: $0) }
    }
    func robust(_ tau: Double) -> Double {
      mean(tau) {
        RobustLoss.perToken(logits: logits.logits, labels: logits.labels, tau: $0, rho: TinyWorld.fittedRho)
      }
    }
    for (loss, found) in [(crossEntropy, best), (robust, bestRobust)] {
      let grid = stride(from: 0.5, through: 3, by: 0.01).min { loss($0) < loss($1) }!
      #expect(abs(grid - found) <= 0.0101, "\(found), a search finds \(grid)")
    }
  }

  @Test func `rho comes from the configuration, the fitted TempNet, the model's, or the validation entropy`() throws {
    func rho(_ world: TinyWorld, _ settings: [String] = [], tempnet: [String]? = nil) throws -> Double {
      let output = "out-\(UUID().uuidString)"
      return try world.evaluate(settings, tempnet: tempnet, output: output).summary["rho"]!.doubleValue!
    }
    let world = try TinyWorld()
    let vocabulary = log(Double(world.tokens.vocabularySize))
    #expect(try rho(world, ["rho=1.25"]) == 1.25)
    #expect(try abs(rho(world, ["entropy=2"]) - (vocabulary - 2)) < 1e-12)
    #expect(try rho(world) == TinyWorld.fittedRho)
    #expect(try rho(world, tempnet: []) == TinyWorld.modelRho)
    let bare = try TinyWorld(hasOwnTempNet: false)
    let entropy = try validationEntropy(bare)
    #expect(try abs(rho(bare, tempnet: []) - (vocabulary - entropy)) < 1e-5)
  }

  @Test func `further policies are measured under the names that they were given`() throws {
    let world = try TinyWorld()
    let artifact = try world.evaluate([
      "policies={cool: 0.5, again: model}", "tempnets={other: \(world.folder("model"))}",
    ])
    let json = try metrics(artifact)
    let names = json["policies"]!.arrayValue!.map { $0["name"]!.stringValue! }
    #expect(names == ["one", "best", "best-robust", "model", "tempnet", "exact", "cool", "again", "other"])
    let losses = json["policies"]!.arrayValue!.map { $0["robust_loss"]!.doubleValue! }
    #expect(losses[7] == losses[3] && losses[8] == losses[3])
    #expect(json["policies"]!.arrayValue![6]["temperature"]!["mean"] == 0.5)
    #expect(json["inputs"]!.arrayValue!.contains { $0["name"] == "tempnets/other" && $0["kind"] == "file" })
  }

  @Test func `policies by formula, and exact ones for another entropy, have the temperatures of generation`() throws {
    let world = try TinyWorld(documents: 1)
    let artifact = try world.evaluate([
      "policies={e: 'entropy-dynamic:1,1.5', d: dynamic-range:0.5..1.5, x: exact:5, z: exact}"
    ])
    let policies = try metrics(artifact)["policies"]!.arrayValue!.suffix(4)
    #expect(
      policies.map { $0["title"]!.stringValue! } == [
        "entropy-dynamic, base 1, theta 1.5", "dynamic range 0.5 to 1.5", "the exact optimum for an entropy of 5",
        "the exact optimum",
      ])
    #expect(policies.map { $0["kind"]!.stringValue! } == ["formula", "formula", "exact", "exact"])
    let scores = try SafetensorsFile(artifact.file("tokens.safetensors"))
    let logits = try logits(world, world.test).logits
    let expected: [(String, TemperaturePolicy)] = [
      ("e", .entropyDynamic(base: 1, theta: 1.5)), ("d", .dynamicRange(0.5...1.5, exponent: 1)),
      ("x", .exact(entropy: 5, bounds: 0.5...3)),
    ]
    for (name, policy) in expected {
      try expectClose(scores.entry("temperature.\(name)").floats(), policy(logits).floats)
    }
    #expect(try scores.entry("temperature.z").floats() == scores.entry("temperature.exact").floats())
    #expect(try scores.entry("temperature.x").floats() != scores.entry("temperature.exact").floats())
  }

  @Test func `what the model or its vocabulary cannot have is refused before anything is measured`() throws {
    let world = try TinyWorld(documents: 1, hasOwnTempNet: false)
    let refused = [
      ("x: exact:6", "policy x: entropy 6"), ("m: model", "policy m: the model has no TempNet of its own"),
    ]
    for (settings, words) in refused {
      let failure = #expect(throws: Failure.self) { try world.evaluate(["policies={\(settings)}"]) }
      #expect(failure?.status == .badConfiguration && failure?.description.hasPrefix(words) == true)
    }
    #expect(!Files.exists(world.folder("out.partial/checkpoints/validation.json")))
  }

  @Test func `the exact temperatures give predictions the wanted entropy, unless they are at a bound`() throws {
    let world = try TinyWorld()
    let artifact = try world.evaluate()
    let scores = try SafetensorsFile(artifact.file("tokens.safetensors"))
    let temperatures = try scores.entry("temperature.exact").floats()
    let logits = try logits(world, world.test)
    let statistics = TemperedStatistics(logits: logits.logits, tau: Tensor(temperatures))
    let wanted = log(Double(world.tokens.vocabularySize)) - TinyWorld.fittedRho
    for (temperature, entropy) in zip(temperatures, statistics.entropy.doubles) {
      if temperature > 0.5001 && temperature < 2.999 { #expect(abs(entropy - wanted) < 1e-4) }
    }
  }

  @Test func `the report's numbers are means over the recorded tokens`() throws {
    let world = try TinyWorld()
    let artifact = try world.evaluate()
    let json = try metrics(artifact)
    let scores = try SafetensorsFile(artifact.file("tokens.safetensors"))
    let extent = world.test.documents.reduce(into: (bytes: 0, words: 0)) {
      $0.bytes += $1.bytes
      $0.words += $1.words
    }
    for policy in json["policies"]!.arrayValue! {
      let name = policy["name"]!.stringValue!
      let total = try scores.entry("cross_entropy.\(name)").floats().reduce(0) { $0 + Double($1) }
      #expect(abs(policy["token_perplexity"]!.doubleValue! - exp(total / Double(world.test.count))) < 1e-6)
      #expect(abs(policy["word_perplexity"]!.doubleValue! / exp(total / Double(extent.words)) - 1) < 1e-9)
      #expect(abs(policy["bits_per_byte"]!.doubleValue! - total / Double(extent.bytes) / log(2)) < 1e-9)
    }
    #expect(try text(artifact.file("report.html")).hasPrefix("<!DOCTYPE html>"))
    #expect(json["sources"]!.arrayValue!.count > 0)
  }

  @Test func `a passage is a piece of the middle of the test text, and none of the text is shown where none is wanted`()
    throws
  {
    let world = try TinyWorld()
    let tokenizer = try world.tokens.loadTokenizer()
    let passage = try #require(try Passage(of: world.tokens, world.test, tokens: 20))
    let range = passage.start..<passage.start + 20
    #expect(passage.tokens == (try world.test.tokens(in: range).map { tokenizer.decode([$0]) }))
    #expect(abs(range.lowerBound + range.upperBound - world.test.count) <= 1)
    #expect(try Passage(of: world.tokens, world.test, tokens: 1 << 20)?.tokens.count == world.test.count)
    let shown = try text(world.evaluate(["passage_tokens=20"], output: "some").file("report.html"))
    #expect(shown.matches(of: /class="token h/).count == 20)
    let hidden = try text(world.evaluate(["passage_tokens=0"], output: "none").file("report.html"))
    #expect(!hidden.contains("class=\"token ") && !hidden.contains("id=\"passage\""))
  }

  @Test func `a paragraph begins after two line feeds, whichever tokens they are in`() {
    func start(_ tokens: String...) -> Int? { Passage.paragraphStart(tokens.map { Array($0.utf8) }) }
    #expect(start("a", "\n", "\n", "b") == 3)
    #expect(start("a\n", "\n\n", "b") == 2)
    #expect(start("a\n\n", "b") == 1)
    #expect(start("a\n", "b\n", "c") == nil)
    #expect(start("a\n", " ", "\n", "b") == nil)
    #expect(start("a", "\n\n") == nil)
  }

  @Test func `the report shows how its inputs were trained, how large they are, and the splits`() throws {
    let world = try TinyWorld()
    let artifact = try world.evaluate()
    let page = try text(artifact.file("report.html"))
    #expect(page.contains("<h3>Training of the fitted TempNet</h3>") && !page.contains("Training of the model</h3>"))
    let size = try Artifact.open(world.folder("fitted")).manifest.files.reduce(0) { $0 + $1.size }
    let inputs = try metrics(artifact)["inputs"]!.arrayValue!
    #expect(inputs.first { $0["name"] == "tempnet" }?["bytes"] == .integer(size))
    #expect(page.contains("<tr><td>test</td><td class=\"number\">3</td><td class=\"number\">\(world.test.count)</td>"))
  }

  /// Whoever changes these results raises `Evaluate.version` and writes the new ones here.
  @Test func `gives the results of its version`() throws {
    let world = try TinyWorld(documents: 1)
    let policies = try metrics(world.evaluate())["policies"]!.arrayValue!
    #expect(Evaluate.version == 12)
    #expect(policies.map { $0["name"]!.stringValue! } == ["one", "best", "best-robust", "model", "tempnet", "exact"])
    // Mean temperature, robust loss, cross-entropy, Brier score, expected calibration error; to 1e-3, because
    // processors differ in the last bits.
    let expected = [
      [1, 3.011, 6.079, 1.0011, 0.0258], [3, 7.798, 5.668, 0.9970, 0.0077], [0.5, 2.069, 7.207, 1.0251, 0.0973],
      [2.629, 6.892, 5.712, 0.9973, 0.0088], [1.619, 4.438, 5.825, 0.9983, 0.0134],
      [0.5, 2.069, 7.207, 1.0251, 0.0973],
    ]
    for (policy, expected) in zip(policies, expected) {
      let found = [
        policy["temperature"]!["mean"], policy["robust_loss"], policy["cross_entropy"], policy["brier"],
        policy["calibration"]!["expected_error"],
      ]
      for (found, expected) in zip(found, expected) { #expect(abs(found!.doubleValue! - expected) < 1e-3) }
    }
  }

  @Test func `two runs give the same bytes, whatever is configured beside the result`() throws {
    let world = try TinyWorld()
    let first = try contents(world.evaluate(output: "a").path)
    let second = try contents(world.evaluate(["checkpoint_seconds=0"], output: "b").path)
    #expect(first == second)
  }

  @Test func `an interrupted pass goes on where it was saved and gives the same bytes`() throws {
    let world = try TinyWorld()
    let whole = try pass(world, "whole", interruptedAfter: nil)
    for windows in [0, 1, 2] { #expect(try pass(world, "part-\(windows)", interruptedAfter: windows) == whole) }
  }

  @Test func `inputs that do not fit together are refused with their paths`() throws {
    let world = try TinyWorld()
    let other = try TinyWorld(documents: 5)
    func failure(_ body: () throws -> Artifact) -> Failure? {
      #expect(throws: Failure.self, performing: { _ = try body() })
    }
    #expect(failure { try world.evaluate(["stride=17"]) }?.status == .badConfiguration)
    #expect(failure { try world.evaluate(["rho=9"]) }?.status == .badConfiguration)
    #expect(failure { try world.evaluate(["policies={a b: 1}"]) }?.status == .badConfiguration)
    #expect(failure { try world.evaluate(["policies={exact: 1}"]) }?.status == .badConfiguration)
    #expect(failure { try world.evaluate(["policies={a: -1}"]) }?.status == .badConfiguration)
    #expect(failure { try world.evaluate(["tempnets={a: \(world.folder("tokens"))}"]) }?.status == .badData)
    #expect(failure { try world.evaluate(["rho=1", "entropy=1"]) }?.status == .badConfiguration)
    let narrow = TemperatureNetwork(TempNetSettings(vocabulary: 50, hidden: 4, tauMin: 0.5, tauMax: 2, rho: 1))
    try Files.makeFolder(other.folder("narrow"))
    try narrow.save(other.folder("narrow/tempnet.safetensors"))
    let refused = failure { try other.evaluate(["tempnets={a: \(other.folder("narrow"))}"]) }
    #expect(refused?.status == .badData && refused?.description.contains("is for 50 logits") == true)
  }
}

// MARK: - The same by other means

/// What one token should have, from a forward pass of its own.
private struct Expected {
  let label: Int64
  let entropy: Float
  let crossEntropy: Float
  let temperature: Float
  let temperedCrossEntropy: Float
  let temperedConfidence: Float
  let temperedBrier: Float
  let isCorrect: Bool
}

/// One forward pass per token, over exactly the tokens that its window shows it.
private func direct(_ world: TinyWorld, stride: Int) throws -> [Expected] {
  let tokens = try world.test.tokens(in: 0..<world.test.count).map(Int64.init)
  let stream = [Int64(world.tokens.endOfText)] + tokens
  let context = TinyWorld.context
  return withoutGradients {
    tokens.indices.map { index in
      // The window that predicts this token ends where its stride ends; it shows `context` tokens before that.
      let end = index < context ? context : min(context + ((index - context) / stride + 1) * stride, tokens.count)
      let inputs = Array(stream[(end - context)...index])
      let logits = world.model.logits(world.model.hiddenStates(Tensor(inputs, shape: [1, inputs.count])))[0][
        inputs.count - 1]
      let values = logits.doubles
      let tau = world.fitted(logits.unsqueezed(0)).item
      func crossEntropy(_ tau: Double) -> Float {
        let partition = values.reduce(0) { $0 + exp($1 / tau) }
        return Float(log(partition) - values[Int(tokens[index])] / tau)
      }
      let temperedPartition = values.reduce(0) { $0 + exp($1 / tau) }
      let tempered = values.map { exp($0 / tau) / temperedPartition }
      let brier = tempered.enumerated().reduce(0.0) { sum, next in
        let distance = next.element - (next.offset == Int(tokens[index]) ? 1 : 0)
        return sum + distance * distance
      }
      let partition = values.reduce(0) { $0 + exp($1) }
      let entropy = log(partition) - values.reduce(0) { $0 + exp($1) * $1 } / partition
      return Expected(
        label: tokens[index], entropy: Float(entropy), crossEntropy: crossEntropy(1), temperature: Float(tau),
        temperedCrossEntropy: crossEntropy(tau), temperedConfidence: Float(tempered.max()!),
        temperedBrier: Float(brier), isCorrect: values.max() == values[Int(tokens[index])])
    }
  }
}

/// The logits of every token of a split, from windows one after the other.
private func logits(_ world: TinyWorld, _ split: TokenSplit) throws -> (logits: Tensor, labels: Tensor) {
  let windows = ScoringWindows(tokens: split.count, context: TinyWorld.context, stride: TinyWorld.context)
  let batch = try ShiftedWindowBatch(split, (0..<windows.count).map { windows[$0] }, endOfText: world.tokens.endOfText)
  let counted = CountedWindows(batch, device: .cpu)
  return withoutGradients { (world.model.logits(world.model.hiddenStates(of: counted)), counted.labels) }
}

private func validationLogits(_ world: TinyWorld) throws -> (logits: Tensor, labels: Tensor) {
  try logits(world, world.tokens.split(.validation))
}

private func validationEntropy(_ world: TinyWorld) throws -> Double {
  let logProbabilities = try validationLogits(world).logits.to(.float64).logSoftmax(-1)
  return -(logProbabilities.exp() * logProbabilities).sum(-1).mean().item
}

private func metrics(_ artifact: Artifact) throws -> JSON {
  let path = try artifact.file("metrics.json")
  return try JSON(parsing: Files.read(path), source: path)
}

/// The bytes that a pass over the test split writes; optionally after an earlier run that was lost beyond some windows.
private func pass(_ world: TinyWorld, _ name: String, interruptedAfter windows: Int?) throws -> [UInt8] {
  let recorder = TokenRecorder(
    weight: world.model.headFactor, grid: RecordGrid.grid(for: 0.1...5, nodesPerOctave: 16))
  let windowing = ScoringWindows(tokens: world.test.count, context: 16, stride: 8)
  let records = TextPasses(
    world.model, recorder, split: world.test, endOfText: world.tokens.endOfText, windows: windowing, batchTokens: 16)
  let policies = [NamedPolicy(name: "net", title: "a TempNet", kind: .tempnet, policy: .tempnet(world.fitted))]
  let file = ScoreFile(path: world.folder("\(name).safetensors"), tokens: world.test.count, policies: policies)
  let checkpoint = world.folder("\(name).json")
  let pass = TestPass(
    records: records, policies: policies,
    temperatures: try RecordedPolicies(policies.map(\.policy), head: (world.model.headWeight, nil)), file: file,
    isFirst: true, checkpoint: checkpoint, checkpointInterval: .seconds(1000))
  try pass.run()
  if let windows {
    // Rows after the saved ones may hold anything.
    let start = windowing[windows].scored.lowerBound
    let writer = try file.open()
    let noise = [Float](repeating: .nan, count: world.test.count - start)
    for tensor in ["temperature.net", "cross_entropy.net", "entropy"] {
      try writer.write(rows: noise, of: tensor, at: start)
    }
    try writer.finish()
    try AtomicFile.write("{\"done\": \(windows)}", to: checkpoint)
    try pass.run()
  }
  return try Files.read(file.path)
}

private func expectClose(
  _ a: [Float], _ b: [Float], tolerance: Float = 2e-5, sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(a.count == b.count, sourceLocation: sourceLocation)
  let worst = zip(a, b).map { abs($0 - $1) / max(1, abs($1)) }.max() ?? 0
  #expect(worst <= tolerance, sourceLocation: sourceLocation)
}
