import LanguageModels
import StageDescriptions
import Tasks
import TestSupport
import Testing
import Tokenization

@testable import EvaluateStage
@testable import LanguageEvaluation

/// A published model, as the harness scored it. `scripts/fetch-data` fetches it and the request files.
@Suite(.serialized, .enabled(if: slowTestsEnabled)) struct SmolLM2Tests {
  private let scorer: Scorer

  init() throws {
    let path = Self.data("smollm2/SmolLM2-135M-Instruct.Q4_1.gguf")
    // As long as the harness was told: some contexts lose their beginning, pages need several windows.
    scorer = try Scorer(model: PretrainedModel.open(path).load(), tokenizer: Tokenizer(path: path), length: 256)
  }

  private static func data(_ name: String) -> String { checkout("data/cache/\(name)") }

  @Test(arguments: Harness.tasks)
  func `prompts of a task come to the harness's log-likelihoods and metrics`(task: HarnessTask) throws {
    try scorer.compare(
      Harness.task(task, in: scorer.folder), with: Harness(smolLM2: task.rawValue), alone: task == .sciq)
  }

  @Test(arguments: ["piqa", "openbookqa", "arc_easy", "hellaswag", "lambada"])
  func `requests from files come to the harness's log-likelihoods and metrics`(name: String) throws {
    let expected = try Harness(smolLM2: "requests_\(name)")
    let file = try TaskFile(Self.data("tasks/\(name).requests.jsonl.gz"))
    try scorer.compare(ScoringTask(file, limit: expected.items.count), with: expected, alone: false)
  }

  @Test func `a request comes to the same within a ten-thousandth of a nat, however it is batched`() throws {
    let file = try TaskFile(Self.data("tasks/piqa.requests.jsonl.gz"))
    let sequences = try scorer.encoded(ScoringTask(file, limit: 6)).sequences
    let alone = try scorer.scores(sequences, ScoringPlan(alone: sequences))
    for batchTokens in [1, 4096] {
      let found = try scorer.scores(sequences, ScoringPlan(sharing: sequences, batchTokens: batchTokens))
      for (a, b) in zip(alone, found) { #expect(abs(a.logLikelihoods[0] - b.logLikelihoods[0]) < 1e-4) }
    }
    let backwards = Array(sequences.reversed())
    #expect(try scorer.scores(backwards, ScoringPlan(alone: backwards)).reversed() == alone)
  }
}
