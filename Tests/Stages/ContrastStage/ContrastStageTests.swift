import Artifacts
import Configuration
import Diagnostics
import Files
import Glibc
import ImageTextModels
import JSON
import StageDescriptions
import TempNet
import TemperatureSettings
import TestSupport
import Testing
import Torch
import Weights

@testable import ContrastStage

@Suite struct ContrastStageTests {
  private let folder: TemporaryFolder
  private let embeddings: Artifact

  init() throws {
    folder = try TemporaryFolder()
    embeddings = try SyntheticPairs(160).artifact(folder("embeddings"))
  }

  private static let small = [
    "batch=32", "epochs=12", "heads.hidden=32", "heads.embed=16", "threads=2", "device=cpu", "compute=float32",
    "tempnet.units=16", "log_interval=4", "optimiser.learning_rate=5e-3",
  ]

  private func request(
    _ output: String, _ loss: ContrastConfiguration.Loss, _ settings: [String] = []
  ) throws -> StageRequest<Contrast> {
    let all =
      Self.small + ["loss=\(loss.rawValue)"] + (loss.hasBudget ? ["effective_negatives=8"] : []) + settings
    return try StageRequest(
      configuration(all), inputs: ["embeddings": [embeddings.path]], output: folder(output), digests: FileDigests())
  }

  private func number(_ artifact: Artifact, _ path: String...) throws -> Double {
    try #require(path.reduce(Optional(artifact.summary)) { $0?[$1] }?.doubleValue, "\(path)")
  }

  @Test(arguments: ContrastConfiguration.Loss.allCases)
  func `every loss finds pairs that were never trained on`(loss: ContrastConfiguration.Loss) throws {
    let artifact = try ContrastStage.run(request("model", loss))
    // Chance is (1 + 5 + 10) / 3 of 24.
    #expect(try number(artifact, "validation", "mean_recall") > 0.4)
    let encoder = try DualEncoder.read(artifact)
    let scale = try number(artifact, "scale")
    #expect(abs(encoder.scale.value - scale) < 1e-9 * scale)
    switch loss {
    case .clip, .cyclip, .sogclr, .sogclrBatch:
      #expect(encoder.scaleOrigin == .fixed && abs(scale - 20) < 1e-4)
    case .clipLearned, .fastclip:
      #expect(encoder.scaleOrigin == .learned && abs(scale - 1 / 0.07) > 1e-3 && (1...100).contains(scale))
    case .isogclr, .tempnet, .tempnetCrossEntropy:
      #expect(encoder.scaleOrigin == .validation && scale > 1)
    }
    #expect(artifact.contains(EmbeddingTempNetFile.name) == loss.trainsTempNet)
    #expect(artifact.contains(ContrastStage.statesFile) == loss.isRobust)
    #expect(try number(artifact, "never_visited", "pictures") == 0)
  }

  /// Golden numbers of this version: when these change, so do results of equal keys, and the version must be raised.
  @Test(arguments: [
    (ContrastConfiguration.Loss.clip, [6.19810, 3.73141, 4.01780]), (.clipLearned, [4.87530, 3.15574, 3.29938]),
    (.cyclip, [7.43431, 4.74570, 5.24272]), (.sogclr, [0.46673, 0.17637, 0.22118]),
    (.sogclrBatch, [0.46673, 0.18506, 0.23106]), (.isogclr, [0.46673, 0.17606, 0.22264]),
    (.tempnet, [0.29293, 0.04985, 0.09699]), (.tempnetCrossEntropy, [3.87222, 2.83747, 2.88060]),
    (.fastclip, [0.20274, 0.07261, 0.09184]),
  ])
  func `the losses of a few steps are those of this version`(
    loss: ContrastConfiguration.Loss, expected: [Double]
  ) throws {
    #expect(Contrast.version == 1)
    let artifact = try ContrastStage.run(request("golden", loss, ["epochs=1.9"]))
    let lines = try text(artifact.file("metrics.jsonl")).split(separator: "\n")
    let rows = try lines.map { try JSON(parsing: Array($0.utf8), source: "metrics.jsonl") }
    let losses = rows.compactMap { $0["training"]?["loss"]?.doubleValue }
    try #require(losses.count == 3)
    // Processors round differently.
    for (loss, expected) in zip(losses, expected) { #expect(abs(loss - expected) < 2e-4, "\(losses)") }
  }

  @Test func `states lie by position, and temperatures within their bounds`() throws {
    let artifact = try ContrastStage.run(request("model", .isogclr, ["individual.rate=5e-3"]))
    let states = try SafetensorsFile(artifact.file(ContrastStage.statesFile))
    func state(_ name: String, _ count: Int) throws -> [Float] {
      try Tensor(states.entry(name, type: .float32, shape: [count])).floats
    }
    // 136 training pictures stand before 24 of validation, which keep the state they began with.
    let seen = try state("image.s", 160)
    #expect(seen[..<136].allSatisfy { $0 > 0 } && seen[136...].allSatisfy { $0 == 0 })
    let tau = try state("text.tau", 800)
    #expect(tau.allSatisfy { (0.0099...0.2001).contains($0) })
    #expect(tau[680...].allSatisfy { $0 == 0.05 } && Set(tau[..<680]).count > 100)
    // A sample's temperature moves by 0.005 a step at most, and so from 0.05 towards the optimum.
    let (mean, optimum) = (
      try number(artifact, "training_temperatures", "image", "mean"),
      try number(artifact, "training_temperatures", "image", "optimum_mean")
    )
    #expect((mean < 0.05) == (optimum < 0.05) && abs(mean - optimum) < abs(0.05 - optimum))
  }

  @Test func `two layers on standardised embeddings follow the optimum better than the published form`() throws {
    func correlation(_ output: String, _ settings: [String]) throws -> Double {
      let artifact = try ContrastStage.run(request(output, .tempnet, ["epochs=40"] + settings))
      return try number(artifact, "training_temperatures", "image", "optimum_pearson")
    }
    let layers = try correlation("layers", ["tempnet.form=layers", "tempnet.coordinates=standardised"])
    #expect(try layers > correlation("published", ["tempnet.learning_rate=3e-5"]))
  }

  @Test(arguments: ContrastConfiguration.Loss.allCases)
  func `at two threads and with five captions a picture a run comes to equal bytes, stopped or not`(
    loss: ContrastConfiguration.Loss
  ) throws {
    let settings = ["epochs=6", "micro_batch=12", "tempnet.dropout=0.2", "tempnet.coordinates=standardised"]
    let whole = try ContrastStage.run(request("whole", loss, settings))
    #expect(try ContrastStage.run(request("again", loss, settings)).manifest.files == whole.manifest.files)
    var stops = 0
    while true {
      do {
        let limit = stops < 3 ? ["time_limit=0.02"] : []
        let parts = try ContrastStage.run(
          request("parts", loss, settings + limit))
        #expect(parts.manifest.files == whole.manifest.files)
        break
      } catch let failure as Failure where failure.status == .tryAgain { stops += 1 }
    }
    #expect(stops > 0)
  }

  @Test func `unfinished work with another batch is refused by name`() throws {
    #expect(throws: Failure.self) { try ContrastStage.run(request("model", .sogclr, ["time_limit=0.02"])) }
    let failure = #expect(throws: Failure.self) {
      try ContrastStage.run(request("model", .sogclr, ["batch=16"]))
    }
    #expect(failure?.status == .outputExists && "\(failure!)".contains("batch"))
  }

  @Test func `embeddings of a joint space are refused`() throws {
    let pairs = SyntheticPairs(80)
    let builder = try ArtifactBuilder(
      output: folder("joint"),
      identity: StageIdentity(
        program: "tempnet-embed", stage: "embed", stageVersion: 1, kind: .embeddings, configuration: [:], inputs: []))
    try EmbeddingsArtifact.write(
      builder, pairs.table,
      .init(.joint(.init(20, from: .fixed)), image: .init("a", width: 10), text: .init("b", width: 10)),
      image: pairs.image.narrowed(1, 0..<10).contiguous().unitRows(), text: pairs.text.unitRows())
    let joint = try builder.publish(summary: [:])
    let request = try StageRequest<Contrast>(
      configuration(Self.small + ["loss=clip"]), inputs: ["embeddings": [joint.path]], output: folder("model"),
      digests: FileDigests())
    let failure = #expect(throws: Failure.self) { try ContrastStage.run(request) }
    #expect(failure?.status == .badData && "\(failure!)".contains("joint space"))
  }
}

@Suite struct ContrastConfigurationTests {
  private func failure(_ settings: [String]) -> Failure? {
    #expect(throws: Failure.self) { try configuration(settings) }
  }

  @Test func `three spellings give one budget`() throws {
    let rho = try configuration(["loss=tempnet", "batch=512", "rho=3.5"]).values.budget!
    let entropy = try configuration(["loss=tempnet", "batch=512", "entropy=\(log(511.0) - 3.5)"]).values.budget!
    let effective = try configuration(
      ["loss=tempnet", "batch=512", "effective_negatives=\(exp(log(511.0) - 3.5))"]
    ).values.budget!
    #expect(abs(rho.rho - entropy.rho) < 1e-12 && abs(rho.rho - effective.rho) < 1e-12 && rho.alternatives == 511)
    #expect(failure(["loss=tempnet", "rho=3", "entropy=2"])!.message.contains("give one of them"))
  }

  @Test func `the default budget leaves three nats, FastCLIP's two at least`() throws {
    #expect(abs(try configuration(["batch=512"]).values.budget!.targetEntropy - 3) < 1e-12)
    #expect(abs(try configuration(["batch=512", "loss=fastclip"]).values.budget!.targetEntropy - 2) < 1e-12)
    #expect(try configuration(["batch=8192", "loss=fastclip"]).values.budget!.rho == 6.5)
    #expect(try configuration(["batch=512", "loss=clip"]).values.budget == nil)
  }

  @Test func `budgets out of reach are refused, tight ones cause a warning, small batches need one`() throws {
    let infeasible = failure(["batch=128", "rho=5"])
    #expect(infeasible?.status == .badConfiguration && infeasible!.message.contains("4.8442"))
    #expect(try configuration(["batch=128", "rho=3"]).values.budgetWarning?.contains("below 2 nats") == true)
    #expect(try configuration(["batch=128", "rho=2"]).values.budgetWarning == nil)
    #expect(failure(["batch=63"])!.message.contains("has to be given"))
    #expect(try configuration(["batch=63", "rho=1"]).values.budget!.rho == 1)
  }

  @Test func `settings that a loss does not use are not in its key`() throws {
    func canonical(_ settings: [String]) throws -> JSON { try configuration(settings).canonical }
    #expect(
      try canonical(["loss=clip"])
        == canonical(["loss=clip", "tempnet.units=7", "individual.rate=1", "gamma=0.5", "rho=1"]))
    #expect(try canonical(["loss=sogclr_batch"]) == canonical(["loss=sogclr_batch", "gamma=0.5"]))
    #expect(try canonical(["loss=tempnet"]) != canonical(["loss=tempnet", "tempnet.units=7"]))
    #expect(try canonical(["loss=sogclr"]) != canonical(["loss=sogclr", "gamma=0.5"]))
  }
}
