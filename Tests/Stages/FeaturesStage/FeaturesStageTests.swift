import Diagnostics
import Files
import LanguageModels
import StageDescriptions
import TempNet
import TemperatureSettings
import TestSupport
import Testing
import Tokenization
import Torch
import Weights

@testable import FeaturesStage

@Suite struct FeaturesStageTests {
  private let workshop: Workshop

  init() throws { workshop = try Workshop() }

  @Test func `rows equal what the model gives for each token directly`() throws {
    let artifact = try workshop.run(["window=16", "stride=16", "batch=3", "train_tokens=100000", "nodes_per_octave=8"])
    let tokens = try TokensArtifact(workshop.tokens)
    let model = try LanguageModel.load(workshop.model.path)
    for split in [Split.train, .validation] {
      let sequence = tokens.split(split)
      let file = try SafetensorsFile(artifact.file("\(split.rawValue).safetensors"))
      var hidden: [Tensor] = []
      var labels: [Int] = []
      for start in stride(from: 0, to: sequence.count - 1, by: 16) {
        let ids = try sequence.tokens(in: start..<min(start + 17, sequence.count)).map(Int.init)
        let states = withoutGradients {
          model.hiddenStates(Tensor(Array(ids.dropLast()), shape: [1, ids.count - 1]))[0..<1]
        }
        // The id that ends a document stands before the next document's first token.
        let rows = (0..<ids.count - 1).filter { ids[$0] != Int(tokens.endOfText) }
        hidden.append(states.squeezed(0).selected(0, indices: Tensor(rows)))
        labels += rows.map { ids[$0 + 1] }
      }
      let expected = Tensor.concatenate(hidden)
      let logits = model.logits(expected)
      let maximum = logits.maximum(-1)
      let label = Tensor(labels)
      let grid = TemperatureGrid(covering: 0.1...5, nodesPerOctave: 8)
      let profile = TemperatureProfile.compute(logits: logits, grid: grid)

      #expect(try Tensor(file.entry("label", type: .int32, shape: [labels.count])).integers == labels.map(Int64.init))
      try expect(file, "hidden", near: expected)
      try expect(file, "maximum", near: maximum)
      try expect(file, "norm", near: logits.square().sum(-1).sqrt())
      try expect(file, "centred_norm", near: (logits - maximum.unsqueezed(-1)).square().sum(-1).sqrt())
      try expect(file, "mean", near: logits.mean(-1) - maximum)
      let alternatives = try Tensor(file.entry("alternatives", type: .int32, shape: [labels.count])).integers
      #expect(alternatives.allSatisfy { $0 == Int64(model.configuration.vocabulary) })
      try expect(file, "label_logit", near: logits.gathered(-1, label.unsqueezed(-1)).squeezed(-1))
      try expect(file, "profile.temperature", near: Tensor(grid.temperatures.map { Float($0) }))
      try expect(file, "profile.value", near: profile.value)
      try expect(file, "profile.entropy", near: profile.entropy)
      try expect(file, "profile.variance", near: profile.variance)
      #expect(file.entries.count == 12)
      #expect(artifact.summary["rows"]?[split.rawValue]?.intValue == labels.count)
    }
    let head = try SafetensorsFile(artifact.file("head.safetensors"))
    #expect(try Tensor(head.entry("weight")).floats == model.headWeight.floats)
  }

  /// What a fit reads belongs together: hidden states, head and what is said of their logits.
  @Test func `in bfloat16 the stored factors are those whose product was measured`() throws {
    let artifact = try workshop.run(["window=16", "compute=bfloat16", "nodes_per_octave=8"], output: "rounded")
    let file = try SafetensorsFile(artifact.file("train.safetensors"))
    let hidden = try Tensor(file.entry("hidden"))
    let head = try Tensor(SafetensorsFile(artifact.file("head.safetensors")).entry("weight"))
    for factor in [hidden, head] {
      #expect(factor.dtype == .float32 && factor.floats == factor.to(.bfloat16).to(.float32).floats)
    }
    let logits = hidden.linear(head)
    let maximum = logits.maximum(-1)
    try expect(file, "maximum", near: maximum)
    try expect(file, "centred_norm", near: (logits - maximum.unsqueezed(-1)).square().sum(-1).sqrt())
    let exact = try SafetensorsFile(workshop.run(["window=16", "nodes_per_octave=8"]).file("train.safetensors"))
    let distance = (hidden - (try Tensor(exact.entry("hidden")))).square().sum().sqrt()
    let share = (distance / hidden.square().sum().sqrt()).item
    // The weights are ten times as wide as fresh ones.
    #expect(share > 0 && share < 0.1, "\(share)")
  }

  @Test func `with a stride below the window tokens have more context and the same labels`() throws {
    let plain = try workshop.run(["window=16"], output: "plain")
    let overlapping = try workshop.run(["window=16", "stride=5"], output: "overlapping")
    let model = try LanguageModel.load(workshop.model.path)
    let files = try [plain, overlapping].map { try SafetensorsFile($0.file("validation.safetensors")) }
    #expect(try Tensor(files[0].entry("label")).integers == Tensor(files[1].entry("label")).integers)

    // Nothing ends a document among the first tokens, so that row 20 is token 20, which the second window counts first
    // but four: it begins at token 5.
    let sequence = try TokensArtifact(workshop.tokens).split(.validation)
    let ids = try sequence.tokens(in: 5..<21).map(Int.init)
    let states = withoutGradients { model.hiddenStates(Tensor(ids, shape: [1, 16])) }
    let row = try Tensor(files[1].entry("hidden"), rows: 20..<21)
    #expect(largestDifference(row, states.squeezed(0)[15..<16]) < 1e-5)
  }

  @Test func `only so many tokens are taken as were asked for`() throws {
    let artifact = try workshop.run(["window=16", "train_tokens=64", "validation_tokens=20"])
    let rows = try ["train", "validation"].map { try #require(artifact.summary["rows"]?[$0]?.intValue) }
    #expect((60...64).contains(rows[0]))
    #expect((28...32).contains(rows[1]))
  }

  @Test func `interrupted after any batch and continued, it writes the same bytes`() throws {
    let settings = ["window=16", "batch=4", "train_tokens=300", "validation_tokens=150", "checkpoint_interval=2"]
    let undisturbed = try contents(workshop.run(settings, output: "undisturbed").path)
    for last in 1...7 {
      // Even ones save a checkpoint and stop; odd ones stop as a crash does, with later rows perhaps half written.
      var batches = 0
      #expect(throws: (any Error).self) {
        try workshop.run(settings, output: "interrupted-\(last)") {
          batches += 1
          if batches == last && last % 2 == 1 { throw Crash() }
          return batches == last
        }
      }
      let resumed = try workshop.run(settings, output: "interrupted-\(last)")
      #expect(try contents(resumed.path) == undisturbed, "interrupted after batch \(last)")
    }
  }

  @Test func `a continued run does not compute again what is on the disk`() throws {
    let settings = ["window=16", "batch=4", "train_tokens=300", "validation_tokens=150", "checkpoint_interval=2"]
    func batches(stoppingAfter last: Int) throws -> Int {
      var batches = 0
      do {
        _ = try workshop.run(settings, output: "counted") {
          batches += 1
          return batches == last
        }
      } catch let failure as Failure where failure.status == .tryAgain {}
      return batches
    }
    let first = try batches(stoppingAfter: 3)
    let rest = try batches(stoppingAfter: .max)
    #expect((first, rest) == (3, 5))
  }

  @Test(arguments: [
    (["window=65"], "context is 64"), (["stride=65"], "stride is 65"), (["window=16", "stride=17"], "stride"),
    (["tau_min=2", "tau_max=2"], "tau_max"),
  ])
  func `settings that cannot be are refused`(_ settings: [String], _ word: String) {
    let failure = #expect(throws: Failure.self) { try workshop.run(settings) }
    #expect(failure?.status == .badConfiguration)
    #expect(failure?.message.contains(word) == true)
  }

  @Test func `tokens of another vocabulary than the model's are refused`() throws {
    let larger = try workshop.makeTokens(vocabulary: 330, output: "larger")
    let other = try workshop.makeTokens(vocabulary: 299, output: "other")
    for (tokens, word) in [(larger, "too few for the 330 ids"), (other, "another tokenizer")] {
      let failure = #expect(throws: Failure.self) { try workshop.run([], tokens: tokens) }
      #expect(failure?.status == .badData)
      #expect(failure?.message.contains(word) == true)
    }
  }

  @Test func `a model in a published form gives the features of the same model as an artifact`() throws {
    let own = try workshop.run([])
    let model = try LanguageModel.load(workshop.model.path)
    let form = try PublishedForm(model.configuration, at: "model")
    let tokenizer = try Tokenizer(path: workshop.tokens.file("tokenizer.json"))
    let folder = workshop("published")
    try Files.makeFolder(folder)
    try form.writeHuggingFace(model.parameters, to: folder, endOfText: 0)
    try AtomicFile.write(Files.read(workshop.tokens.file("tokenizer.json")), to: "\(folder)/tokenizer.json")
    try form.writeGGUF(
      model.parameters, to: workshop("model.gguf"), name: "model",
      vocabulary: tokenizer.ggufEntries(logits: model.configuration.vocabulary, at: "model"))
    for path in [folder, workshop("model.gguf")] {
      let features = try workshop.run([], modelPath: path, output: "of-\(Files.name(of: path))")
      #expect(features.key != own.key)
      #expect(features.digest(of: "train.safetensors") == own.digest(of: "train.safetensors"))
      #expect(features.digest(of: "head.safetensors") == own.digest(of: "head.safetensors"))
    }
    let keys = try workshop.run([], modelPath: folder, output: "again").manifest.inputs.map(\.name)
    #expect(keys == ["model/config.json", "model/model.safetensors", "model/tokenizer.json", "tokens"])

    // Another vocabulary, in the file itself.
    let other = try workshop.makeTokens(vocabulary: 299, output: "fewer")
    let failure = #expect(throws: Failure.self) {
      try workshop.run([], modelPath: folder, tokens: other, output: "none")
    }
    #expect(failure?.message.contains("another tokenizer") == true)
  }

  @Test func `a model that gives no finite numbers is refused`() throws {
    let broken = try workshop.makeModel(output: "broken") { $0.parameters[0].tensor.fill(with: .nan) }
    let refusal = Failure(
      .badData, "not all numbers of the weight embedding.weight are finite", at: broken.path)
    #expect(throws: refusal) { try workshop.run([], model: broken) }
    // Weights that are finite and overflow.
    let huge = try workshop.makeModel(output: "huge") { model in
      model.parameters.first { $0.name == "norm.weight" }!.tensor.fill(with: 3e38)
    }
    let failure = #expect(throws: Failure.self) { try workshop.run([], model: huge) }
    #expect(failure?.status == .badData)
    #expect(failure?.message.contains("hidden states of the train split are not all finite") == true)
  }

  /// Whoever changes these results raises `Features.version` and writes the new ones here. They are stated to 1e-4,
  /// because processors differ in the last bits.
  @Test func `gives the results of its version`() throws {
    let artifact = try workshop.run(["window=16", "train_tokens=64", "validation_tokens=64"])
    let file = try SafetensorsFile(artifact.file("validation.safetensors"))
    #expect(Features.version == 6)
    let found = try ["hidden", "maximum", "norm", "centred_norm", "label_logit", "label", "profile.entropy"].map {
      try Tensor(file.entry($0)).to(.float64).abs().mean().item
    }
    let expected = [8.1638812, 23.299474, 141.87613, 430.53178, 4.8439052, 262.07937, 1.2075486]
    for (found, expected) in zip(found, expected) {
      #expect(abs(found - expected) <= 1e-4 * max(1, expected), "\(found) instead of \(expected)")
    }
  }

  private func expect(_ file: SafetensorsFile, _ name: String, near expected: Tensor) throws {
    let found = try Tensor(file.entry(name, type: .float32, shape: expected.shape))
    let size = max(1, expected.abs().sum().item / Double(expected.count))
    #expect(largestDifference(found, expected) < 1e-4 * size, "\(name)")
  }
}

private struct Crash: Error {}

private func largestDifference(_ a: Tensor, _ b: Tensor) -> Double {
  zip(a.doubles, b.doubles).reduce(0) { max($0, abs($1.0 - $1.1)) }
}
