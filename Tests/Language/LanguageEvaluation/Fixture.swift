import Files
import JSON
import LanguageEvaluation
import Reports
import Statistics
import TestSupport

/// `scores.json`: scores of invented tokens, and what other software makes of them.
struct Fixture {
  let scores: TestScores
  let rules: ComparisonRules
  /// Contiguous tokens that are drawn together.
  let block: Int
  let expected: JSON

  init() throws {
    let path = fixture("scores.json")
    let json = try JSON(parsing: Files.read(path), source: path)
    let settings = json["settings"]!
    let extent = json["extent"]!
    scores = TestScores(
      entropy: json["entropy"]!.floats, isCorrect: json["correct"]!.arrayValue!.map { $0.intValue == 1 },
      documents: json["correct"]!.arrayValue!.indices.map { $0 / 400 },
      policies: json["policies"]!.arrayValue!.map { policy in
        let name = policy["name"]!.stringValue!
        return PolicyScores(
          name: name, title: "policy <\(name)>", kind: PolicyKind(rawValue: policy["kind"]!.stringValue!)!,
          temperature: policy["temperature"]!.floats, crossEntropy: policy["cross_entropy"]!.floats,
          confidence: policy["confidence"]!.floats, brier: policy["brier"]!.floats)
      },
      extent: TextExtent(
        tokens: extent["tokens"]!.intValue!, documents: extent["documents"]!.intValue!,
        bytes: extent["bytes"]!.intValue!, words: extent["words"]!.intValue!),
      rho: settings["rho"]!.doubleValue!, vocabulary: settings["vocabulary"]!.intValue!,
      bounds: settings["tau_min"]!.doubleValue!...settings["tau_max"]!.doubleValue!)
    block = settings["block_length"]!.intValue!
    rules = ComparisonRules(
      resamples: settings["resamples"]!.intValue!, seed: UInt64(settings["seed"]!.intValue!))
    expected = json["expected"]!
  }

  /// The metrics of scores, the fixture's own unless others are given.
  func metrics(of scores: TestScores? = nil, block: Int? = nil) -> TextMetrics {
    let scores = scores ?? self.scores
    return TextMetrics(
      scores, clusters: TextClusters(documents: scores.documents, block: block ?? self.block, dependence: 1),
      rules: rules)
  }

  /// With something that could be taken for markup wherever words come from outside.
  func context() throws -> EvaluationContext {
    let lines = """
      {"step":10,"training":{"loss":2.5,"<b>":1.25,"zero":0},"learning_rate":{"model":0.001}}
      {"step":20,"training":{"loss":2.25,"<b>":1.125,"zero":0},"learning_rate":{"model":0.002}}
      {"step":20,"validation":{"loss":2.375,"bits_per_byte":1.5,"broken":null}}
      """
    let origin = ReportContext(
      facts: [ReportContext.Fact("context <length>", "256 & more")],
      inputs: [ReportContext.Input(name: "model", kind: "model", key: "0123abcd", bytes: 1_234_567)],
      sources: [ReportContext.Source(name: "Emma", licence: "public domain", origin: "a \"shelf\"")],
      histories: [try TrainingHistory(of: "the <model>", parsing: Array(lines.utf8), source: "metrics.jsonl")],
      configuration: ["seed": 2024, "policies": ["x": "<script>alert('1')</script>"]])
    return EvaluationContext(
      origin, splits: [EvaluationContext.Split(name: "test", extent: scores.extent)], leading: "tempnet",
      tried: [
        TriedSettings(
          "TempNet, robust", trials: [.init("<1>", score: 2.5), .init("<2>", score: 2.25)], isMoreBetter: false),
        TriedSettings("kl-ball", trials: [.init("only", score: 3)], isMoreBetter: false),
      ],
      passage: Passage(
        start: 100, tokens: ["<i>", "\u{2019}", "\n", "\n", " a\t&"].map { Array($0.utf8) } + [[0xE2, 0x80]]))
  }
}

extension JSON {
  var floats: [Float] { arrayValue!.map { Float($0.doubleValue!) } }
  var doubles: [Double] { arrayValue!.map { $0.doubleValue! } }
}

/// Whether two numbers agree to a relative error that sums in another order explain.
func isClose(_ a: Double?, _ b: Double?, tolerance: Double = 1e-9) -> Bool {
  guard let a, let b else { return a == nil && b == nil }
  return abs(a - b) <= tolerance * max(1, abs(b))
}
