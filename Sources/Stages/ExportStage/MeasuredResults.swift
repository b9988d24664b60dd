import Artifacts
import Diagnostics
import Files
import JSON

/// The parts of an evaluation that belong on a model card.
struct MeasuredResults {
  /// One policy on the test split.
  struct Policy {
    let name: String
    let title: String
    let robustLoss: Double
    let perplexity: Double
    let bitsPerByte: Double?
    let meanTemperature: Double
  }
  struct Source {
    let name: String
    let licence: String
    let origin: String
  }

  let artifact: Artifact
  /// `metrics.json` as it is.
  let file: JSON
  let tokens: Int
  let policies: [Policy]
  let sources: [Source]

  /// - Throws: `.badData` that names the file and the member at fault.
  init(_ artifact: Artifact) throws {
    let path = try artifact.file("metrics.json")
    let file = try JSON(parsing: try Files.read(path), source: path, for: .strict)
    func failure(_ member: String) -> Failure { Failure(.badData, "has no usable member '\(member)'", at: path) }
    guard let tokens = file["text"]?["tokens"]?.intValue else { throw failure("text.tokens") }
    guard let policies = file["policies"]?.arrayValue else { throw failure("policies") }
    self.artifact = artifact
    self.file = file
    self.tokens = tokens
    self.policies = try policies.map { policy in
      guard let name = policy["name"]?.stringValue, let title = policy["title"]?.stringValue,
        let robustLoss = policy["robust_loss"]?.doubleValue, let perplexity = policy["token_perplexity"]?.doubleValue,
        let mean = policy["temperature"]?["mean"]?.doubleValue
      else { throw failure("policies") }
      return Policy(
        name: name, title: title, robustLoss: robustLoss, perplexity: perplexity,
        bitsPerByte: policy["bits_per_byte"]?.doubleValue, meanTemperature: mean)
    }
    sources = (file["sources"]?.arrayValue ?? []).map { source in
      func text(_ member: String) -> String { source[member]?.stringValue ?? "not stated" }
      return Source(name: text("name"), licence: text("licence"), origin: text("source"))
    }
  }

  /// The single temperature with the least cross-entropy, or robust loss, on the validation split.
  var bestTemperature: Double? { meanTemperature("best") }
  var bestRobustTemperature: Double? { meanTemperature("best-robust") }

  private func meanTemperature(_ name: String) -> Double? { policies.first { $0.name == name }?.meanTemperature }

  /// Results of one network must not end up on the card of another.
  func check(measures tempnet: Artifact) throws {
    guard artifact.manifest.inputs.contains(where: { $0.key == tempnet.key }) else {
      throw Failure(
        .badData, "the evaluation did not measure the TempNet \(tempnet.path) (key \(tempnet.key))", at: artifact.path)
    }
  }
}
