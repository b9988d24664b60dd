import Diagnostics
import Files
import JSON
import LanguageModels
import ScoreStage
import StageDescriptions
import Tasks
import TempNet
import TestSupport
import Testing
import Tokenization

@testable import EvaluateStage
@testable import LanguageEvaluation

/// What lm-evaluation-harness made of the items in `Fixtures/data`.
struct Harness {
  static let tasks: [HarnessTask] = [
    .piqa, .hellaswag, .arcEasy, .openbookqa, .sciq, .winogrande, .lambadaOpenAI, .wikitext,
  ]

  /// A task's items as the harness saw them, choices also without a context.
  struct Item {
    /// A context and a continuation, or a page; empty where the file does not repeat them.
    let requests: [[String]]
    let logLikelihoods: [Double]
    let isGreedy: [Bool]
  }

  let items: [Item]
  let metrics: JSON

  init(_ task: HarnessTask) throws { try self.init(task.rawValue) }

  init(_ task: String) throws {
    let path = fixture("expected.json")
    let json = try #require(try JSON(parsing: Files.read(path), source: path)[task])
    metrics = json["metrics"]!
    items = json["items"]!.arrayValue!.map { item in
      Item(
        requests: item["requests"]!.arrayValue!.map { $0.arrayValue!.map { $0.stringValue! } },
        logLikelihoods: item["log_likelihoods"]!.arrayValue!.map { $0.doubleValue! },
        isGreedy: item["greedy"]!.arrayValue!.map { $0.boolValue! })
    }
  }

  /// What it made of them with SmolLM2, and of the first items of request files, whose tasks are `requests_NAME`.
  init(smolLM2 task: String) throws {
    let path = fixture("smollm2.json")
    let json = try #require(try JSON(parsing: Files.read(path), source: path)[task])
    metrics = json["metrics"]!
    items = zip(json["log_likelihoods"]!.arrayValue!, json["greedy"]!.arrayValue!).map { logLikelihoods, greedy in
      Item(
        requests: [], logLikelihoods: logLikelihoods.arrayValue!.map { $0.doubleValue! },
        isGreedy: greedy.arrayValue!.map { $0 == 1 })
    }
  }

  /// The task over the fixtures' items.
  static func task(_ task: HarnessTask, in folder: TemporaryFolder) throws -> ScoringTask {
    let isPlain = !task.hasChoices || task == .winogrande
    let file = try folder.write(
      "task: \(task.rawValue)\ndata: \(fixture("data/\(task.rawValue).jsonl"))\nmutual_information: \(!isPlain)\n",
      to: "\(task.rawValue).yaml")
    return try ScoringTask(TaskFile(file))
  }
}

/// A model that scores tasks in a folder of its own.
struct Scorer {
  let model: LanguageModel
  let tokenizer: Tokenizer
  let folder = try! TemporaryFolder()
  /// How many tokens the model is to read at once.
  let length: Int

  init(model: LanguageModel, tokenizer: Tokenizer, length: Int) {
    (self.model, self.tokenizer, self.length) = (model, tokenizer, length)
  }

  static let one = NamedPolicy(name: "one", title: "", kind: .fixed, policy: .fixed(1))

  func encoded(_ task: ScoringTask) throws -> EncodedTask {
    try EncodedTask(task, PairEncoder(tokenizer), length: length)
  }

  func scores(
    _ sequences: [ScoredSequence], _ plan: ScoringPlan, _ policies: [NamedPolicy] = [one], model: LanguageModel? = nil
  ) throws -> [SequenceScore] {
    for name in ["log", "log.pass.json"] { try Files.remove(folder(name)) }
    return try pass(sequences, plan, policies, model: model, log: "log").run()
  }

  func pass(
    _ sequences: [ScoredSequence], _ plan: ScoringPlan, _ policies: [NamedPolicy] = [one], model: LanguageModel? = nil,
    log: String
  ) throws -> TaskPass {
    let model = model ?? self.model
    let grid = RecordGrid.grid(for: 0.1...5, nodesPerOctave: 16)
    let recorder = TokenRecorder(weight: model.headFactor, grid: grid)
    return TaskPass(
      name: "task",
      records: TaskPasses(model, recorder, sequences: sequences, plan: plan, endOfText: tokenizer.endOfText),
      policies: policies.map(\.name),
      temperatures: try RecordedPolicies(policies.map(\.policy), head: (model.headWeight, nil)),
      sequenceCount: sequences.count, log: folder(log), saveInterval: .seconds(1000))
  }

  /// Expects each log-likelihood within a thousandth of a nat of the harness's, the same greedy flags, and the same
  /// metrics. Requests that the harness did not make, those for choices without a context, are scored and left aside.
  func compare(_ task: ScoringTask, with expected: Harness, alone: Bool) throws {
    let encoded = try encoded(task)
    let plan =
      alone ? ScoringPlan(alone: encoded.sequences) : ScoringPlan(sharing: encoded.sequences, batchTokens: 1000)
    let sequences = try scores(encoded.sequences, plan)
    try #require(task.items.count == expected.items.count)
    let items = zip(task.items, encoded.ranges).map { item, ranges in
      TaskScores.Item(answer: item.answer, requests: ranges.map { RequestScore(sequences[$0], policies: 1) })
    }
    for (index, (item, expected)) in zip(items, expected.items).enumerated() {
      try #require(!expected.logLikelihoods.isEmpty && item.requests.count >= expected.logLikelihoods.count)
      for (found, (value, isGreedy)) in zip(item.requests, zip(expected.logLikelihoods, expected.isGreedy)) {
        #expect(abs(found.logLikelihoods[0] - value) < 1e-3, "\(index): \(found.logLikelihoods[0]), \(value)")
        // The harness keeps no flag for pages.
        #expect(task.items[index].requests[0].isPage || found.isGreedy == isGreedy, "\(index)")
      }
    }
    let description = TaskScores.Description(name: "t", version: "", prompts: "", dataDigest: "", beginning: "")
    let metrics = TaskMetrics(
      TaskScores(description: description, policies: ["one"], items: items, mergedJoins: 0, truncated: 0),
      rules: ComparisonRules(resamples: 100, seed: 0))
    var compared = 0
    for figure in metrics.policies[0].values {
      guard let value = expected.metrics[figure.metric.rawValue]?.doubleValue else { continue }
      #expect(abs(figure.value - value) <= 1e-4 * max(1, abs(value)), "\(figure.metric): \(figure.value), \(value)")
      compared += 1
    }
    #expect(compared > 0)
  }
}

/// Takes the longest piece it knows at every place, of which some reach over words; one id for each piece.
struct ToyTokenizer: ScoringTokenizer {
  let pieces: [String]
  var beginning: Int32 = 0
  var beginsTexts = false

  init(_ pieces: [String]) {
    self.pieces = ["<begin>"] + (32..<127).map { String(UnicodeScalar($0)) } + ["\n", "\t"] + pieces
  }

  func ids(of text: String) -> [Int32] {
    var rest = Substring(text)
    var ids: [Int32] = []
    while !rest.isEmpty {
      let best = pieces.indices.filter { rest.hasPrefix(pieces[$0]) }.max { pieces[$0].count < pieces[$1].count }!
      ids.append(Int32(best))
      rest = rest.dropFirst(pieces[best].count)
    }
    return ids
  }

  func text(_ ids: some Sequence<Int32>) -> String { ids.map { pieces[Int($0)] }.joined() }
}

/// Numbers that look random and are always the same.
struct Numbers {
  var state: UInt64

  mutating func next(below bound: Int) -> Int {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Int((state >> 33) % UInt64(bound))
  }
}

/// The failure of an expression that should fail.
func failure(_ body: () throws -> Void) -> Failure? {
  do { try body() } catch { return error as? Failure }
  return nil
}
