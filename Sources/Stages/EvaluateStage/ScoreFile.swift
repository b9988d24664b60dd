import Diagnostics
import LanguageEvaluation
import Weights

/// `tokens.safetensors`: what was measured on each token, written while the test split is read.
///
///     label, correct, entropy, document                what all policies share
///     temperature.NAME, cross_entropy.NAME,
///     confidence.NAME, brier.NAME                      of each policy
///     correct.NAME, entropy.NAME                       of policies of another model
struct ScoreFile {
  static let name = "tokens.safetensors"

  let path: String
  let tokens: Int
  let policies: [NamedPolicy]

  private var descriptions: [TensorDescription] {
    [
      TensorDescription("label", .int32, [tokens]), TensorDescription("correct", .uint8, [tokens]),
      TensorDescription("entropy", .float32, [tokens]), TensorDescription("document", .int32, [tokens]),
    ]
      + policies.flatMap { policy in
        ["temperature", "cross_entropy", "confidence", "brier"].map {
          TensorDescription("\($0).\(policy.name)", .float32, [tokens])
        }
          + (policy.isOfOtherModel
            ? [
              TensorDescription("correct.\(policy.name)", .uint8, [tokens]),
              TensorDescription("entropy.\(policy.name)", .float32, [tokens]),
            ] : [])
      }
  }

  private var metadata: [String: String] { ["format_version": "1", "split": "test"] }

  func create() throws -> SafetensorsStreamWriter {
    try SafetensorsStreamWriter(creating: path, tensors: descriptions, metadata: metadata)
  }

  func open() throws -> SafetensorsStreamWriter {
    try SafetensorsStreamWriter(continuing: path, tensors: descriptions, metadata: metadata)
  }

  /// Reads the finished file back.
  func scores(
    extent: TextExtent, rho: Double, vocabulary: Int, bounds: ClosedRange<Double>
  ) throws -> TestScores {
    let file = try SafetensorsFile(path)
    return TestScores(
      entropy: try file.entry("entropy").floats(), isCorrect: try file.entry("correct").integers().map { $0 == 1 },
      documents: try file.entry("document").integers(),
      policies: try policies.map { policy in
        PolicyScores(
          name: policy.name, title: policy.title, kind: policy.kind, bounds: policy.bounds,
          temperature: try file.entry("temperature.\(policy.name)").floats(),
          crossEntropy: try file.entry("cross_entropy.\(policy.name)").floats(),
          confidence: try file.entry("confidence.\(policy.name)").floats(),
          brier: try file.entry("brier.\(policy.name)").floats(),
          other: try policy.baseline.map { number in
            OtherModel(
              number: number, entropy: try file.entry("entropy.\(policy.name)").floats(),
              isCorrect: try file.entry("correct.\(policy.name)").integers().map { $0 == 1 })
          })
      },
      extent: extent, rho: rho, vocabulary: vocabulary, bounds: bounds)
  }
}
