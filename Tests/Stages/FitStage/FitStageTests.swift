import Artifacts
import Configuration
import Diagnostics
import Glibc
import JSON
import StageDescriptions
import TempNet
import TemperatureSettings
import TestSupport
import Testing
import Torch
import Weights

@testable import FitStage

@Suite struct FitStageTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private static let small = [
    "entropy=1.5", "hidden=16", "batch=128", "epochs=10", "tau_min=0.1", "tau_max=3", "threads=1", "device=cpu",
    "compute=float32",
  ]

  private func fit(
    _ features: Artifact, _ settings: [String] = [], output: String = "tempnet"
  ) throws -> Artifact {
    let configuration = try FitConfiguration.resolve(
      file: nil, overrides: (Self.small + settings).map(ConfigurationOverride.init(parsing:)))
    return try FitStage.run(
      StageRequest(
        configuration, inputs: ["features": [features.path]], output: folder(output), digests: FileDigests()))
  }

  private func number(_ artifact: Artifact, _ name: String) throws -> Double {
    try #require(artifact.summary["validation"]?[name]?.doubleValue)
  }

  @Test func `a fit finds most of what a temperature of each token's own can give`() throws {
    let artifact = try fit(SyntheticFeatures(in: folder).artifact)
    #expect(try number(artifact, "gap_closed") > 0.8)
    #expect(try number(artifact, "robust_loss") < number(artifact, "robust_loss_best_single"))
    #expect(try number(artifact, "robust_loss") > number(artifact, "robust_loss_exact"))
  }

  /// A lane that is lost, or counts twice, changes more than the last digits.
  @Test func `a fit in three lanes finds what one lane finds`() throws {
    let features = try SyntheticFeatures(in: folder).artifact
    let (one, three) = (try fit(features, output: "one"), try fit(features, ["lanes=3"], output: "three"))
    let losses = try [one, three].map { try number($0, "robust_loss") }
    #expect(abs(losses[0] - losses[1]) < 1e-4, "\(losses)")
    #expect(one.key != three.key)
  }

  @Test(arguments: ["robust", "cross_entropy", "autodeco", "autodeco_tempered", "selective_smoothing"])
  func `profiles and full logits train the same network`(objective: String) throws {
    let features = try SyntheticFeatures(in: folder).artifact
    let networks = try ["profile", "logits"].map { method in
      let artifact = try fit(
        features, ["method=\(method)", "objective=\(objective)", "epochs=3", "learning_rate=3e-3"], output: method)
      return try SafetensorsFile(artifact.file("tempnet.safetensors"))
    }
    for entry in networks[0].entries {
      let (a, b) = (try Tensor(entry).doubles, try Tensor(networks[1].entry(entry.name)).doubles)
      let size = b.reduce(0) { max($0, abs($1)) }
      let difference = zip(a, b).reduce(0) { max($0, abs($1.0 - $1.1)) }
      #expect(difference <= 5e-3 * max(size, 1e-3), "\(entry.name)")
    }
  }

  /// The factor of `autodeco_tempered` is a constant, so a step lowers the weighted cross-entropy and not the product, which
  /// grows with the label's probability up to 1/e.
  @Test(
    arguments: [("autodeco", "loss"), ("autodeco_tempered", "cross_entropy"), ("selective_smoothing", "loss")],
    TempNetSettings.Input.allCases)
  func `a rival's fit lowers its criterion on the validation split`(
    objective: (name: String, criterion: String), input: TempNetSettings.Input
  ) throws {
    let artifact = try fit(SyntheticFeatures(in: folder).artifact, ["objective=\(objective.name)", "input=\(input)"])
    let values = try text(artifact.file("metrics.jsonl")).split(separator: "\n").compactMap { line in
      try JSON(parsing: String(line), source: "metrics.jsonl")["validation"]?[objective.criterion]?.doubleValue
    }
    #expect(try #require(values.min()) < #require(values.first))
    #expect(artifact.summary["selected_step"]?.intValue ?? 0 > 0)
  }

  @Test(arguments: TempNetSettings.Input.allCases)
  func `a network of any input fits, and its weights have the loss that the summary states`(
    input: TempNetSettings.Input
  ) throws {
    let features = try SyntheticFeatures(in: folder)
    let artifact = try fit(features.artifact, ["input=\(input)"])
    let share = try number(artifact, "gap_closed")
    #expect(share > 0.5, "\(share)")
    let network = try TemperatureNetwork.load(artifact.file("tempnet.safetensors"))
    #expect(network.settings.input.rawValue == input.rawValue)
    let logits = features.hidden.linear(features.weight, bias: features.bias)
    let loss = withoutGradients {
      RobustLoss.perToken(
        logits: logits, labels: features.labels, tau: network(logits, hidden: features.hidden),
        rho: network.settings.rho
      ).mean().item
    }
    #expect(abs(try number(artifact, "robust_loss") - loss) < 1e-4)
    #expect(abs(network.settings.targetEntropy - 1.5) < 1e-12)
  }

  @Test func `stopped again and again and continued, a fit comes to the same bytes`() throws {
    let features = try SyntheticFeatures(in: folder).artifact
    let settings = ["dropout=0.2", "epochs=20", "checkpoint_interval=7"]
    let whole = try fit(features, settings, output: "whole")
    var stops = 0
    while true {
      do {
        let parts = try fit(features, settings + (stops < 3 ? ["time_limit=0.05"] : []), output: "parts")
        #expect(parts.manifest.files == whole.manifest.files)
        break
      } catch let failure as Failure where failure.status == .tryAgain {
        #expect(failure.message.contains("time limit"))
        stops += 1
      }
    }
    #expect(stops > 0)
  }

  @Test(arguments: [
    (["entropy=9"], "entropy"), (["tau_min=0.01"], "wider tau_min and tau_max"), (["tau_max=50"], "tau_max"),
  ])
  func `a budget or bounds that cannot be are refused`(_ settings: [String], _ words: String) throws {
    let features = try SyntheticFeatures(in: folder).artifact
    let failure = #expect(throws: Failure.self) { try fit(features, settings) }
    #expect(failure?.status == .badConfiguration)
    #expect(failure?.description.contains(words) == true, "\(failure as Any)")
  }

  @Test func `temperatures that crowd at a bound are counted in the metrics`() throws {
    let features = try SyntheticFeatures(in: folder)
    let artifact = try fit(features.artifact, ["entropy=0.02", "tau_min=0.9", "tau_max=1.1"])
    let lines = try text(artifact.file("metrics.jsonl")).split(separator: "\n")
    let last = try JSON(parsing: Array(try #require(lines.last).utf8), source: "metrics.jsonl")
    #expect(try #require(last["validation"]?["at_lower_bound"]?.doubleValue) > 0.9)
  }

  /// Whoever changes these results raises `Fit.version` and writes the new ones here. They are stated to 1e-3, because
  /// processors differ in the last bits, and steps add up.
  @Test func `gives the results of its version`() throws {
    let artifact = try fit(SyntheticFeatures(in: folder).artifact, ["epochs=2", "dropout=0.1"])
    #expect(Fit.version == 4)
    let found = try ["robust_loss", "robust_loss_best_single", "robust_loss_exact", "mean_temperature"].map {
      try number(artifact, $0)
    }
    let expected = [4.562096, 4.583178, 4.540225, 0.384267]
    for (found, expected) in zip(found, expected) { #expect(abs(found - expected) < 1e-3, "\(found)") }
  }
}
