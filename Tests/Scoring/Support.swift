import Artifacts
import Diagnostics
import Foundation
import StageDescriptions
import TestSupport

@testable import Scoring

/// What lm-evaluation-harness made of the items in `Fixtures/data`.
struct Harness {
  static let tasks: [HarnessTask] = [
    .piqa, .hellaswag, .arcEasy, .openbookqa, .sciq, .winogrande, .lambadaOpenAI, .wikitext,
  ]

  /// A task's items as the harness saw them, choices also without a context.
  struct Item {
    /// A context and a continuation, or a page.
    let requests: [[String]]
    let logLikelihoods: [Double]
    let isGreedy: [Bool]
  }

  let items: [Item]
  let metrics: JSON

  init(_ task: HarnessTask) throws {
    let path = Self.fixture("expected.json")
    let json = try JSON(parsing: Files.read(path), source: path)[task.rawValue]!
    metrics = json["metrics"]!
    items = json["items"]!.arrayValue!.map { item in
      Item(
        requests: item["requests"]!.arrayValue!.map { $0.arrayValue!.map { $0.stringValue! } },
        logLikelihoods: item["log_likelihoods"]!.arrayValue!.map { $0.doubleValue! },
        isGreedy: item["greedy"]!.arrayValue!.map { $0.boolValue! })
    }
  }

  static func fixture(_ name: String) -> String {
    URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures/\(name)").path
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
