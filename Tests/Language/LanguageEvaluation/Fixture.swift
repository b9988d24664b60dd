import Files
import JSON
import LanguageEvaluation
import Reports
import Statistics
import TestSupport

/// `scores.json`: scores of invented tokens, and what other software makes of them.
struct Fixture {
  let scores: TestScores
  let bootstrap: BlockBootstrap
  let expected: JSON

  init() throws {
    let path = fixture("scores.json")
    let json = try JSON(parsing: Files.read(path), source: path)
    let settings = json["settings"]!
    let extent = json["extent"]!
    scores = TestScores(
      entropy: json["entropy"]!.floats, isCorrect: json["correct"]!.arrayValue!.map { $0.intValue == 1 },
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
    bootstrap = BlockBootstrap(
      count: scores.entropy.count, blockLength: settings["block_length"]!.intValue!,
      resamples: settings["resamples"]!.intValue!, seed: UInt64(settings["seed"]!.intValue!))
    expected = json["expected"]!
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
