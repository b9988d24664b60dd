import Diagnostics
import Files
import Glibc
import LanguageModels
import StageDescriptions
import Tasks
import TempNet
import TemperatureSettings
import TestSupport
import Testing
import Tokenization
import Torch

@testable import EvaluateStage
@testable import LanguageEvaluation

/// The small model of the fixtures, as the harness scored it.
@Suite struct HarnessTests {
  private let scorer: Scorer

  init() throws {
    let model = try PretrainedModel.open(fixture("model")).load()
    scorer = try Scorer(
      model: model, tokenizer: Tokenizer(path: fixture("model/tokenizer.json")),
      length: model.configuration.context)
  }

  private static let one = Scorer.one
  private var model: LanguageModel { scorer.model }
  private var tokenizer: Tokenizer { scorer.tokenizer }
  private var folder: TemporaryFolder { scorer.folder }

  private func encoded(_ task: ScoringTask) throws -> EncodedTask { try scorer.encoded(task) }

  private func scores(
    _ sequences: [ScoredSequence], _ plan: ScoringPlan, _ policies: [NamedPolicy] = [one], model: LanguageModel? = nil
  ) throws -> [SequenceScore] {
    try scorer.scores(sequences, plan, policies, model: model)
  }

  @Test(arguments: Harness.tasks, [false, true])
  func `log-likelihoods, greedy flags and metrics are those of lm-evaluation-harness`(
    task: HarnessTask, alone: Bool
  ) throws {
    try scorer.compare(Harness.task(task, in: folder), with: Harness(task), alone: alone)
  }

  @Test(arguments: [false, true])
  func `requests with tokens that reach over the join are split by count, as lm-evaluation-harness does`(
    alone: Bool
  ) throws {
    let task = try ScoringTask(TaskFile(fixture("joins.requests.jsonl")))
    #expect(try encoded(task).mergedJoins == 10)
    try scorer.compare(task, with: Harness("joins"), alone: alone)
  }

  @Test func `some fixtures are greedy, some truncated, some in several windows, so that all this was seen`() throws {
    #expect(try Harness(.lambadaOpenAI).items.flatMap(\.isGreedy).contains(true))
    #expect(try encoded(Harness.task(.lambadaOpenAI, in: folder)).truncated > 0)
    #expect(try encoded(Harness.task(.wikitext, in: folder)).ranges.contains { $0[0].count > 2 })
  }

  @Test(arguments: [1, 100, 512, 4096])
  func `what a request comes to does not depend on the batches beyond a ten-thousandth of a nat`(
    batchTokens: Int
  ) throws {
    let sequences = try encoded(Harness.task(.hellaswag, in: folder)).sequences
    let alone = try scores(sequences, ScoringPlan(alone: sequences))
    let shared = try scores(sequences, ScoringPlan(sharing: sequences, batchTokens: batchTokens))
    for (a, b) in zip(alone, shared) {
      #expect(abs(a.logLikelihoods[0] - b.logLikelihoods[0]) < 1e-4 && abs(a.entropy - b.entropy) < 1e-3)
      #expect(a.isGreedy == b.isGreedy && a.tokens == b.tokens)
    }
  }

  @Test func `where a sequence's length changes how positions turn, that of another one does not`() throws {
    var configuration = model.configuration
    configuration.rotaryScaling = .dynamic(factor: 4, original: 40)
    let model = LanguageModel(configuration, parameters: model.parameters)
    let sequences = try encoded(Harness.task(.hellaswag, in: folder)).sequences
    let plan = ScoringPlan(
      sharing: sequences, batchTokens: 1000, constantLength: configuration.rotaryScaling.constantLength)
    #expect(plan.batches.count < sequences.count && sequences.contains { $0.inputs.count > 40 })
    let alone = try scores(sequences, ScoringPlan(alone: sequences), model: model)
    for (a, b) in zip(alone, try scores(sequences, plan, model: model)) {
      #expect(abs(a.logLikelihoods[0] - b.logLikelihoods[0]) < 1e-4)
    }
  }

  @Test func `scored alone, a request comes to the same bits in any order and company`() throws {
    let sequences = try encoded(Harness.task(.piqa, in: folder)).sequences
    let policies = try [Self.one, tempnet()]
    let all = try scores(sequences, ScoringPlan(alone: sequences), policies)
    let backwards = Array(sequences.reversed())
    #expect(try scores(backwards, ScoringPlan(alone: backwards), policies).reversed() == all)
    let few = [sequences[7], sequences[3], sequences[7]]
    #expect(try scores(few, ScoringPlan(alone: few), policies) == [all[7], all[3], all[7]])
  }

  private func tempnet() throws -> NamedPolicy {
    TorchRuntime.seed(4)
    let network = TemperatureNetwork(
      TempNetSettings(vocabulary: model.configuration.vocabulary, hidden: 8, tauMin: 0.5, tauMax: 3, rho: 2))
    for parameter in network.parameters { parameter.tensor.add(.normal(parameter.tensor.shape)) }
    return NamedPolicy(name: "net", title: "", kind: .tempnet, policy: .tempnet(network))
  }

  @Test func `a policy's temperature divides the logits of the position that it was read from`() throws {
    let sequences = Array(try encoded(Harness.task(.openbookqa, in: folder)).sequences.prefix(12))
    let net = try tempnet()
    let two = NamedPolicy(name: "two", title: "", kind: .fixed, policy: .fixed(2))
    let found = try scores(sequences, ScoringPlan(sharing: sequences, batchTokens: 500), [Self.one, two, net])
    for (sequence, score) in zip(sequences, found) {
      let inputs = Tensor(sequence.inputs.map { Int64($0) }, shape: [1, sequence.inputs.count])
      let logits = withoutGradients { model.logits(model.hiddenStates(inputs))[0] }
      let rows = logits[(sequence.inputs.count - sequence.targets.count)..<sequence.inputs.count].to(.float64)
      let taus = net.policy(rows.to(.float32)).doubles
      func logLikelihood(_ tau: (Int) -> Double) -> Double {
        sequence.targets.enumerated().reduce(0) { sum, target in
          let values = rows[target.offset].doubles.map { $0 / tau(target.offset) }
          let partition = log(values.reduce(0) { $0 + exp($1 - values.max()!) }) + values.max()!
          return sum + values[Int(target.element)] - partition
        }
      }
      let expected = [logLikelihood { _ in 1 }, logLikelihood { _ in 2 }, logLikelihood { taus[$0] }]
      for (a, b) in zip(score.logLikelihoods, expected) { #expect(abs(a - b) < 1e-4) }
      #expect(abs(score.temperatures[2] - taus.reduce(0, +)) < 1e-4)
      #expect(score.temperatures[1] == 2 * Double(sequence.targets.count))
    }
  }

  @Test(arguments: [false, true])
  func `to a model that looks no further than its document, the id before a text is another document`(
    alone: Bool
  ) throws {
    var configuration = model.configuration
    configuration.attention = .document
    let model = LanguageModel(configuration, parameters: model.parameters)
    // With nothing but a beginning in common, and with more.
    let sequences = [[5, 6, 7], [5, 6, 8, 9], [5, 6, 7, 3]].map { (tokens: [Int32]) in
      ScoredSequence(EncodedPair(context: [tokenizer.endOfText], continuation: tokens), length: 50)!
    }
    let plan = alone ? ScoringPlan(alone: sequences) : ScoringPlan(sharing: sequences, batchTokens: 100)
    #expect(alone || plan.batches.flatMap { $0 }.contains { $0.tree.paths.count > 1 })
    for (sequence, score) in zip(sequences, try scores(sequences, plan, model: model)) {
      func logProbabilities(_ ids: [Int32]) -> Tensor {
        withoutGradients {
          model.logits(model.hiddenStates(Tensor(ids.map { Int64($0) }, shape: [1, ids.count])))[0].logSoftmax(-1)
        }
      }
      let first = logProbabilities([tokenizer.endOfText])
      let rest = logProbabilities(Array(sequence.inputs.dropFirst()))
      let expected = sequence.targets.enumerated().reduce(0.0) { sum, target in
        sum + (target.offset == 0 ? first[0] : rest[target.offset - 1])[Int(target.element)].item
      }
      #expect(abs(score.logLikelihoods[0] - expected) < 1e-4)
    }
  }

  @Test func `a pass that was cut anywhere goes on to the same log and the same scores`() throws {
    let sequences = try encoded(Harness.task(.openbookqa, in: folder)).sequences
    let plan = ScoringPlan(sharing: sequences, batchTokens: 64)
    #expect(plan.batches.count > 5)
    let whole = try scores(sequences, plan)
    let log = try Files.read(folder("log"))
    let lines = log.split(separator: UInt8(ascii: "\n"))
    func cut(after batches: Int, _ content: some Sequence<UInt8>) throws {
      try AtomicFile.write("{\"done\": \(batches)}", to: folder("cut.pass.json"))
      try AtomicFile.write(content, to: folder("cut"))
    }
    for batches in plan.batches.indices {
      let finished = plan.batches[..<batches].reduce(0) { $0 + $1.reduce(0) { $0 + $1.members.count } }
      // Beyond what was saved the log may hold anything.
      for rest in ["", "[12", "[0, 1]\n[12"] {
        let kept = lines.prefix(finished).flatMap { $0 + Array("\n".utf8) }
        try cut(after: batches, kept + Array(rest.utf8))
        #expect(try scorer.pass(sequences, plan, log: "cut").run() == whole)
        #expect(try Files.read(folder("cut")) == log)
      }
    }
    try cut(after: plan.batches.count, log.dropLast(5))
    #expect { try scorer.pass(sequences, plan, log: "cut").run() } throws: {
      ($0 as? Failure)?.status == .badData && "\($0)".contains("scores of the work so far")
    }
    // Nothing is computed again that stands in the log.
    let changed = String(decoding: log, as: UTF8.self).replacing("[0,", with: "[0, ").replacing("true", with: "false")
    try cut(after: plan.batches.count, changed.utf8)
    #expect(try scorer.pass(sequences, plan, log: "cut").run().allSatisfy { !$0.isGreedy })
  }

  @Test func `continuations that cannot be scored are refused with their place`() throws {
    let toy = ToyTokenizer(["a b"])
    func problem(_ text: String, length: Int = 100) throws -> String? {
      try folder.write("{\"goal\": \"g\", \"sol1\": \"\(text)\", \"sol2\": \"x\", \"label\": 0}\n", to: "d.jsonl")
      let file = try folder.write("task: piqa\ndata: d.jsonl\n", to: "t.yaml")
      let task = try ScoringTask(TaskFile(file))
      return failure { _ = try EncodedTask(task, PairEncoder(toy), length: length) }?.description
    }
    #expect(try problem("short") == nil)
    #expect(try problem("too long", length: 8)?.contains("d.jsonl, line 1: a continuation has 9 tokens") == true)
    try folder.write("{\"text\": \"a b\"}\n", to: "d.jsonl")
    let task = try ScoringTask(TaskFile(folder.write("task: lambada_openai\ndata: d.jsonl\n", to: "t.yaml")))
    #expect(
      failure { _ = try EncodedTask(task, PairEncoder(toy), length: 9) }?.description.contains("no token of its own")
        == true)
  }
}
