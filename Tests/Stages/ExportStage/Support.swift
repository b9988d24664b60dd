import Artifacts
import Files
import Foundation
import LanguageEvaluation
import Reports
import Statistics
import TempNet
import TemperatureSettings
import Testing
import Torch

/// Publishes a TempNet for 37 logits, or hidden states of 12, as a fit would.
func fittedTempNet(
  _ input: TempNetSettings.Input, _ output: String, vocabulary: Int = 37
) throws -> TemperatureNetwork {
  TorchRuntime.seed(11)
  let network = TemperatureNetwork(
    TempNetSettings(
      vocabulary: vocabulary, hidden: 8, tauMin: 0.2, tauMax: 3, rho: 1.5, input: input,
      width: input == .hidden ? 12 : nil))
  // Weights far from the initial ones, so that a mistake anywhere shows.
  for parameter in network.parameters { parameter.tensor.add(.normal(parameter.tensor.shape)) }
  let identity = StageIdentity(
    program: "tempnet-fit", stage: "fit", stageVersion: 1, kind: .tempnet, configuration: [:], inputs: [],
    resolution: [:])
  let builder = try ArtifactBuilder(output: output, identity: identity)
  try network.save(builder.path(for: "tempnet.safetensors"))
  _ = try builder.publish(summary: ["validation": ["best_single_temperature": 0.875]])
  return network
}

/// An evaluation of the TempNet with this key, with invented results: 1.25 and 0.75 as the best single temperatures.
func inventedEvaluation(of key: String, _ output: String) throws -> String {
  let reference = InputReference(name: "tempnet", kind: "tempnet", key: key)
  let identity = StageIdentity(
    program: "tempnet-evaluate", stage: "evaluate", stageVersion: 1, kind: .evaluation, configuration: [:],
    inputs: [reference])
  func single(_ name: String, _ title: String, _ kind: PolicyKind, _ temperature: Float) -> PolicyScores {
    PolicyScores(
      name: name, title: title, kind: kind, temperature: [temperature, temperature, temperature],
      crossEntropy: [0.5, 1, 1.5], confidence: [0.6, 0.4, 0.2], brier: [0.2, 0.6, 0.9])
  }
  let scores = TestScores(
    entropy: [1, 2, 3], isCorrect: [true, false, true], documents: [0, 0, 0],
    policies: [
      single("one", "temperature 1", .fixed, 1),
      single("best", "the best single temperature by cross-entropy", .bestCrossEntropy, 1.25),
      single("best-robust", "the best single temperature by robust loss", .bestRobustLoss, 0.75),
      PolicyScores(
        name: "tempnet", title: "the fitted | TempNet", kind: .tempnet, temperature: [0.5, 1, 2],
        crossEntropy: [0.5, 0.75, 1], confidence: [0.6, 0.5, 0.4], brier: [0.2, 0.5, 0.7]),
      single("mine", "temperature 1", .fixed, 1),
    ],
    extent: TextExtent(tokens: 3, documents: 1, bytes: 12, words: 2), rho: 1.5, vocabulary: 37, bounds: 0.2...3)
  let source = ReportContext.Source(name: "Emma", licence: "public domain", origin: "a|shelf")
  let context = EvaluationContext(
    ReportContext(facts: [], inputs: [], sources: [source], configuration: [:]), leading: "tempnet")
  let metrics = TextMetrics(
    scores, clusters: TextClusters(documents: scores.documents, block: 1, dependence: 1),
    rules: ComparisonRules(resamples: 100, seed: 0))
  let builder = try ArtifactBuilder(output: output, identity: identity)
  try AtomicFile.write(MetricsFile.json(metrics, context: context).pretty, to: builder.path(for: MetricsFile.name))
  return try builder.publish(summary: [:]).path
}

/// What a program prints; it has to succeed.
func output(of program: String, _ arguments: [String]) throws -> String {
  let process = Process()
  process.executableURL = URL(filePath: program)
  process.arguments = arguments
  let pipe = Pipe()
  process.standardOutput = pipe
  try process.run()
  let data = pipe.fileHandleForReading.readDataToEndOfFile()
  process.waitUntilExit()
  #expect(process.terminationStatus == 0)
  return String(decoding: data, as: UTF8.self)
}
