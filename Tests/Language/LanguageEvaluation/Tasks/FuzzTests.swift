import StageDescriptions
import Tasks
import TestSupport
import Testing
import Tokenization

@testable import LanguageEvaluation

@Suite(.enabled(if: slowTestsEnabled)) struct FuzzTests {
  private static let kinds = Harness.tasks.count + 1
  private let tokenizer = try! Tokenizer(path: fixture("model/tokenizer.json"))

  @Test(arguments: Harness.tasks) func `items in the fields of data sets`(task: HarnessTask) throws {
    let lines = try text(fixture("data/\(task.rawValue).jsonl")).split(separator: "\n")
    let samples = [lines.prefix(3), lines.suffix(3)].map { Array($0.joined(separator: "\n").utf8) }
    let folder = try TemporaryFolder()
    try fuzz(samples, as: "data.jsonl", times: fuzzTimes / Self.kinds) { path in
      let file = try folder.write("task: \(task.rawValue)\ndata: \(path)\n", to: "task.yaml")
      try encode(ScoringTask(TaskFile(file)))
    }
  }

  @Test func `request files`() throws {
    let line = #"{"request_type":"loglikelihood","doc":{"choices":["x","yy"]},"label":1,"native_id":7,"#
    let samples = [(3, 0, "x"), (3, 1, "yy"), (1_000_003, 0, "x"), (1_000_003, 1, "yy")].map { document, index, text in
      line + #""doc_id":\#(document),"idx":\#(index),"request":{"context":"q:","continuation":" \#(text)"}}"#
    }
    try fuzz([Array(samples.joined(separator: "\n").utf8)], as: "requests.jsonl", times: fuzzTimes / Self.kinds) {
      path in
      try encode(ScoringTask(TaskFile(path)))
    }
  }

  private func encode(_ task: ScoringTask) throws {
    _ = try EncodedTask(task, PairEncoder(tokenizer), length: 512)
  }
}
