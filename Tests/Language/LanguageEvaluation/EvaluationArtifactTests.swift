import Artifacts
import Diagnostics
import Files
import JSON
import LanguageEvaluation
import Reports
import TestSupport
import Testing

@Suite struct EvaluationArtifactTests {
  private let folder = try! TemporaryFolder()

  private func artifact(_ metrics: JSON, _ name: String) throws -> Artifact {
    let identity = StageIdentity(
      program: "tempnet-evaluate", stage: "evaluate", stageVersion: 1, kind: .evaluation, configuration: [:], inputs: []
    )
    let builder = try ArtifactBuilder(output: folder(name), identity: identity)
    try AtomicFile.write(metrics.pretty, to: builder.path(for: MetricsFile.name))
    return try builder.publish(summary: [:])
  }

  private let metrics: JSON = [
    "schema_version": 1, "text": ["tokens": 7],
    "policies": [
      [
        "name": "best", "title": "the best", "robust_loss": 0.5, "token_perplexity": 3.0, "bits_per_byte": .null,
        "temperature": ["mean": 1.25],
      ]
    ],
    "sources": [["name": "Emma", "licence": "public domain", "source": "a shelf"]],
  ]

  /// Fails where a member is read under another name than the format's.
  @Test func `figures are read from metrics.json`() throws {
    let evaluation = try EvaluationArtifact(artifact(metrics, "good"))
    #expect(evaluation.tokens == 7 && evaluation.bestTemperature == 1.25 && evaluation.bestRobustTemperature == nil)
    #expect(evaluation.policies.map(\.bitsPerByte) == [nil])
    #expect(evaluation.sources == [ReportContext.Source(name: "Emma", licence: "public domain", origin: "a shelf")])
  }

  /// Fails where the schema's version is not checked first, or the message does not name the member.
  @Test func `an unknown schema and a missing member are refused`() throws {
    var newer = metrics
    newer["schema_version"] = 2
    newer["text"] = nil
    var incomplete = metrics
    incomplete["text"] = nil
    for (index, (broken, words)) in [(newer, "schema version 2 is unknown"), (incomplete, "'text.tokens'")].enumerated()
    {
      let failure = try #require(throws: Failure.self) { try EvaluationArtifact(artifact(broken, "bad\(index)")) }
      #expect(failure.status == .badData && failure.message.contains(words))
    }
  }
}
