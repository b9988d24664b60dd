import Artifacts
import Evaluation
import Foundation

/// `scores.json`: scores of invented tokens, and what other software makes of them.
struct Fixture {
  let scores: TestScores
  let bootstrap: BlockBootstrap
  let expected: JSON

  init() throws {
    let path = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures/scores.json").path
    let json = try JSON(parsing: Files.read(path), source: path)
    let settings = json["settings"]!
    let extent = json["extent"]!
    scores = TestScores(
      entropy: json["entropy"]!.floats, isCorrect: json["correct"]!.arrayValue!.map { $0.intValue == 1 },
      policies: json["policies"]!.arrayValue!.map { policy in
        let name = policy["name"]!.stringValue!
        return PolicyScores(
          name: name, title: "policy <\(name)>", kind: PolicyKind(rawValue: policy["kind"]!.stringValue!)!,
          temperature: policy["temperature"]!.floats, crossEntropy: policy["cross_entropy"]!.floats)
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

  var context: ReportContext {
    ReportContext(
      facts: [ReportContext.Fact("context <length>", "256 & more")],
      inputs: [ReportContext.Input(name: "model", kind: "model", key: "0123abcd")],
      sources: [ReportContext.Source(name: "Emma", licence: "public domain", origin: "a \"shelf\"")],
      configuration: ["seed": 2024, "policies": ["x": "<script>alert('1')</script>"]])
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
