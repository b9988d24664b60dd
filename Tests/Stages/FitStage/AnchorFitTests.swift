import Artifacts
import Configuration
import Diagnostics
import Files
import Glibc
import JSON
import StageDescriptions
import TempNet
import TemperatureSettings
import TestSupport
import Testing
import Torch

@testable import FitStage

/// Fits to embeddings.
@Suite struct AnchorFitTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private static let scale = 12.0

  /// Unit rows around one common direction. Some candidates lie densely around one half of the anchors, so that these ask
  /// for other temperatures than the rest.
  private func features(_ side: EmbeddingSide = .image, rows: Int = 400) throws -> Artifact {
    TorchRuntime.seed(3)
    let identity = StageIdentity(
      program: "tempnet-features", stage: "features", stageVersion: 1, kind: .features, configuration: [:],
      inputs: [InputReference(name: "embeddings", kind: "embeddings", key: "e5")])
    let builder = try ArtifactBuilder(output: folder("features-\(side)"), identity: identity)
    let grid = TemperatureGrid(covering: 0.05...6, nodesPerOctave: 8)
    for (part, rows) in [(FeaturesArtifact.Part.train, rows), (.validation, rows / 2)] {
      let anchors = Self.unitRows(rows, spread: 0.3)
      let candidates = Self.unitRows(rows, spread: 0.05)
      let logits = AnchorLogits(
        anchors: anchors, candidates: candidates, scale: Self.scale, own: (0..<rows).map { [$0] }, grid: grid)
      let table = try FeatureTable(
        builder.path(for: part.file), of: side.kind, rows: rows, width: 8, grid: grid, isContinued: false)
      try table.write(anchors: anchors, positions: Array(0..<rows), labels: logits.ownIndex, logits: logits, at: 0)
      try table.finish()
    }
    let description = FeaturesDescription.anchors(
      AnchorDescription(
        side, scale: Self.scale, interpolationError: InterpolationError(rows: 9, loss: 1e-5, entropy: 1e-4)))
    try AtomicFile.write(description.json.pretty, to: builder.path(for: FeaturesDescription.file))
    return try builder.publish(summary: [:])
  }

  private static func unitRows(_ count: Int, spread: Double) -> Tensor {
    let common = Tensor([2, 0, 0, 0, 0, 0, 0, 0], shape: [1, 8])
    var second = [Float](repeating: 0, count: count * 8)
    for row in stride(from: 1, to: count, by: 2) { second[row * 8 + 1] = 2 }
    let half = Tensor(second, shape: [count, 8])
    return (common + half + Tensor.normal([count, 8]) * spread).unitRows()
  }

  private func fit(_ features: Artifact, _ settings: [String], output: String = "tempnet") throws -> Artifact {
    let usual = ["rho=3", "hidden=16", "batch=100", "epochs=60", "threads=1", "device=cpu", "compute=float32"]
    let configuration = try FitConfiguration.resolve(
      file: nil, overrides: (usual + settings).map(ConfigurationOverride.init(parsing:)))
    return try FitStage.run(
      StageRequest(
        configuration, inputs: ["features": [features.path]], output: folder(output), digests: FileDigests()))
  }

  private func number(_ artifact: Artifact, _ path: String...) throws -> Double {
    try #require(path.reduce(Optional(artifact.summary)) { $0?[$1] }?.doubleValue)
  }

  @Test(arguments: EmbeddingTempNetSettings.Form.allCases, EmbeddingSide.allCases)
  func `a network of each form learns from anchors, and is saved with temperatures between unit rows`(
    form: EmbeddingTempNetSettings.Form, side: EmbeddingSide
  ) throws {
    let features = try features(side)
    let artifact = try fit(features, ["form=\(form)", "dropout=0.1", "learning_rate=1e-2"])
    #expect(try number(artifact, "validation", "gap_closed") > 0.5)
    #expect(try number(artifact, "validation", "\(side)s") == 200)
    #expect(artifact.summary["side"]?.stringValue == "\(side)")
    #expect(artifact.summary["embeddings"] == "e5")

    let network = try EmbeddingTempNetFile.read(artifact.file(EmbeddingTempNetFile.name), side: side)
    #expect(network.settings.form == form && network.settings.rho == 3)
    #expect(abs(network.settings.tauMax - 3 / Self.scale) < 1e-12)
    let rows = try FeaturesArtifact(features).rows(of: .validation, width: 8, on: .cpu)
    let tau = network(rows.input)
    let mean = try number(artifact, "validation", "mean_temperature")
    #expect(abs(tau.mean().item * Self.scale - mean) < 1e-5)
    #expect(abs(try number(artifact, "between_unit_rows", "mean_temperature") - mean / Self.scale) < 1e-12)
    let spread = tau.maximum(0).item / -((-tau).maximum(0).item)
    #expect(spread > 1.005, "\(spread)")
  }

  @Test func `the likelihood counts an anchor's own candidate among the others`() throws {
    let rows = try FeaturesArtifact(features()).rows(of: .validation, width: 8, on: .cpu)
    let anchors = try AnchorRows(
      rows, AnchorDescription(.image, scale: 12, interpolationError: InterpolationError(rows: 1, loss: 0, entropy: 0)))
    let tau = Tensor.full([200], 0.7, dtype: .float64)
    let found = anchors.losses(at: tau, rho: 3)
    // Node 0.7 is none of the grid's: to the error of interpolation, log(exp(y) + Σ exp(x)) - y.
    let (value, target) = (rows.profile(at: tau).value.doubles, (rows.labelLogit - rows.maximum).doubles)
    for (found, (value, target)) in zip(found.crossEntropy.doubles, zip(value, target)) {
      let (others, own) = (value / 0.7, target / 0.7)
      #expect(abs(found - (log(exp(others) + exp(own)) - own)) < 1e-9)
    }
    let entropy = log(199.0) - 3
    for (found, (value, target)) in zip(found.robust.doubles, zip(value, target)) {
      #expect(abs(found - (value - target - 0.7 * entropy)) < 1e-9)
    }
  }

  @Test func `entropy auto keeps the mean entropy of the encoder's own temperature`() throws {
    let features = try features()
    let configuration = ["form=layers", "rho=null", "entropy=auto", "epochs=1"]
    let artifact = try fit(features, configuration)
    let rows = try FeaturesArtifact(features).rows(of: .train, width: 8, on: .cpu)
    let own = rows.profile.mean(at: 1).entropy.item
    #expect(abs(try number(artifact, "entropy") - own) < 1e-9)
    #expect(abs(try number(artifact, "rho") - (log(399) - own)) < 1e-9)
  }

  @Test func `stopped again and again and continued, a fit comes to the same bytes`() throws {
    let features = try features()
    let settings = ["form=prototypes", "dropout=0.3", "checkpoint_interval=7"]
    let whole = try fit(features, settings, output: "whole")
    var stops = 0
    while true {
      do {
        let parts = try fit(features, settings + (stops < 3 ? ["time_limit=0.05"] : []), output: "parts")
        #expect(parts.manifest.files == whole.manifest.files)
        break
      } catch let failure as Failure where failure.status == .tryAgain {
        stops += 1
      }
    }
    #expect(stops > 0)
  }

  @Test(arguments: [
    ([], "form"), (["form=layers", "input=hidden"], "input"), (["form=layers", "method=logits"], "method"),
    (["form=layers", "objective=autodeco"], "objective"), (["form=layers", "rho=5.5"], "rho 5.5"),
  ])
  func `what is for tokens, and a budget that a row cannot meet, are refused`(_ settings: [String], _ word: String)
    throws
  {
    let failure = #expect(throws: Failure.self) { try fit(features(), settings) }
    #expect(failure?.status == .badConfiguration)
    #expect(failure?.description.contains(word) == true, "\(failure as Any)")
  }

  @Test func `a form is refused for features of tokens`() throws {
    let failure = #expect(throws: Failure.self) { try fit(SyntheticFeatures(in: folder).artifact, ["form=layers"]) }
    #expect(failure?.status == .badConfiguration)
  }
}
