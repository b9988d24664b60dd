import Glibc
import StageDescriptions
import TempNet
import Testing
import Torch
import Training

@testable import PretrainStage

@Suite struct GradientTests {
  typealias Objective = PretrainConfiguration.Objective

  /// The loss as its formula has it, at given temperatures, from code that shares nothing with the stage's.
  private static func reference(_ fixture: Fixture, logits: Tensor, labels: Tensor, tau: Tensor) -> Tensor {
    fixture.objective.isRobust
      ? RobustLoss.perToken(
        logits: logits, labels: labels, tau: tau, rho: log(Double(Fixture.vocabulary)) - fixture.objective.targetEntropy
      ).mean()
      : RobustLoss.temperedCrossEntropy(logits: logits, labels: labels, tau: tau).mean()
  }

  private static func temperatures(_ fixture: Fixture, _ logits: Tensor) -> Tensor {
    switch fixture.objective.temperature {
    case .fixed(let tau): .full([logits.size(0)], tau, dtype: logits.dtype)
    case .exact:
      ExactTemperature.solve(
        logits: logits.detached(), entropy: fixture.objective.targetEntropy, bounds: fixture.objective.bounds)
    case .network(let network): network.published(logits)
    }
  }

  private func expectClose(_ pairs: [(numeric: Double, given: Double)], _ name: String) {
    for (numeric, given) in pairs { #expect(abs(numeric - given) < 1e-7, "\(name): \(numeric) and \(given)") }
  }

  /// Temperatures are held fixed: no gradient may flow through what TempNet reads.
  @Test(arguments: Objective.allCases)
  func `the model's gradients equal finite differences at fixed temperatures`(kind: Objective) throws {
    let fixture = try Fixture(kind, kind == .crossEntropy ? ["temperature=1.7"] : [])
    let given = try gradients(fixture.task(), step: 0)
    let tau = withoutGradients { try! Self.temperatures(fixture, fixture.logits(step: 0).logits) }
    for parameter in fixture.model.parameters {
      let pairs = try differences(parameter.tensor, given["model.\(parameter.name)"]!) {
        try withoutGradients {
          let (logits, labels) = try fixture.logits(step: 0)
          return Self.reference(fixture, logits: logits, labels: labels, tau: tau).item
        }
      }
      expectClose(pairs, parameter.name)
    }
  }

  @Test(arguments: [Objective.robust, .tempnetCrossEntropy], ["standardised", "published"])
  func `TempNet's gradients equal finite differences`(kind: Objective, coordinates: String) throws {
    let fixture = try Fixture(kind, ["tempnet.coordinates=\(coordinates)"])
    let network = try #require(fixture.tempnet)
    let given = try gradients(fixture.task(), step: 1)
    let (logits, labels) = try withoutGradients { try fixture.logits(step: 1) }
    for parameter in network.parameters {
      let pairs = differences(parameter.tensor, given["tempnet.\(parameter.name)"]!) {
        withoutGradients {
          Self.reference(fixture, logits: logits, labels: labels, tau: network.published(logits)).item
        }
      }
      expectClose(pairs, parameter.name)
    }
  }

  /// At its optimum the loss does not change with the temperature, so here the temperatures move with the model.
  @Test func `an exact temperature needs no gradient of its own`() throws {
    let fixture = try Fixture(.robustExact)
    let given = try gradients(fixture.task(), step: 0)
    let parameter = try #require(fixture.model.parameters.first { $0.name == "head.weight" })
    let pairs = try differences(parameter.tensor, given["model.head.weight"]!) {
      try withoutGradients {
        let (logits, labels) = try fixture.logits(step: 0)
        let tau = Self.temperatures(fixture, logits)
        return Self.reference(fixture, logits: logits, labels: labels, tau: tau).item
      }
    }
    expectClose(pairs, parameter.name)
  }

  @Test(arguments: Objective.allCases)
  func `gradients by logits have their closed form`(kind: Objective) throws {
    let fixture = try Fixture(kind)
    TorchRuntime.seed(5)
    let logits = (Tensor.normal([6, Fixture.vocabulary]).to(.float64) * 3).requiringGradient()
    let labels = Tensor([0, 3, 10, 5, 3, 7])
    _ = fixture.objective.addGradients(logits: logits, hidden: logits, labels: labels, scale: 0.5)
    let tau = withoutGradients { Self.temperatures(fixture, logits) }
    let expected = withoutGradients {
      let oneHot = Tensor.arange(Fixture.vocabulary).equal(labels.unsqueezed(1)).to(.float64)
      let robust: Tensor = (logits / tau.unsqueezed(1)).softmax(1) - oneHot
      return (fixture.objective.isRobust ? robust : robust / tau.unsqueezed(1)) * 0.5
    }
    for (ours, theirs) in zip(logits.gradient!.doubles, expected.doubles) { #expect(abs(ours - theirs) < 1e-12) }
  }

  @Test(arguments: Objective.allCases)
  func `chunks and micro-batches change nothing but rounding`(kind: Objective) throws {
    let fixture = try Fixture(kind)
    // What a TempNet has seen of earlier steps counts nothing in the first.
    let whole = try gradients(fixture.task(), step: 0)
    for settings in [["loss_chunk=5"], ["micro_batch=3"], ["micro_batch=1", "loss_chunk=4"]] {
      let parts = try gradients(fixture.task(Fixture(kind, settings).configuration), step: 0)
      for (name, values) in whole {
        for (a, b) in zip(values, parts[name]!) { #expect(abs(a - b) < 1e-12, "\(name) with \(settings)") }
      }
    }
  }

  @Test func `labels that are masked do not count`() throws {
    let fixture = try Fixture(.robust)
    let task = try fixture.task()
    // A step with a window that reaches over a boundary.
    let step = try #require(try (0..<9).first { try task.batches(step: $0)[0].documentStarts != nil })
    let batch = try task.batches(step: step)[0]
    #expect(batch.countedLabels < batch.labels.count)
    #expect(task.weight(of: batch) == batch.countedLabels)
    try task.willBegin(step: step)
    let measured = try task.addGradients(
      of: batch, StepPart(step: step, index: 0, totalWeight: batch.countedLabels))
    let loss = try withoutGradients {
      let (logits, labels) = try fixture.logits(step: step)
      let tau = Self.temperatures(fixture, logits)
      return Self.reference(fixture, logits: logits, labels: labels, tau: tau).item
    }
    #expect(abs(measured[0].sum.item / Double(batch.countedLabels) - loss) < 1e-12)
  }

  @Test func `validation measures every token once, tempered and not`() throws {
    let fixture = try Fixture(.robust)
    let metrics = try withoutGradients { try fixture.task().validate {} }
    let (tempered, plain) = (try #require(metrics["tempered_cross_entropy"]), try #require(metrics["cross_entropy"]))
    // 60 tokens in 200 bytes.
    #expect(abs((metrics["bits_per_byte"] ?? 0) - plain * 60 / 200 / log(2)) < 1e-12)
    #expect(abs((metrics["tempered_bits_per_byte"] ?? 0) - tempered * 60 / 200 / log(2)) < 1e-12)
    let settings = try Fixture(.robust, ["micro_batch=2", "loss_chunk=7"]).configuration
    let parts = try withoutGradients { try fixture.task(settings).validate {} }
    for (a, b) in zip(metrics.entries, parts.entries) { #expect(a.name == b.name && abs(a.value - b.value) < 1e-12) }
  }
}
