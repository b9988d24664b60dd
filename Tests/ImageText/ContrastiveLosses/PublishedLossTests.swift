import TempNet
import TemperatureSettings
import Testing
import Torch

@testable import ContrastiveLosses

/// Three steps of each loss against the numbers of the authors' own classes.
@Suite struct PublishedLossTests {
  private static let samples = 40
  private static let tau = 0.05
  private static let gamma = 0.6
  private static let rho = 2.0

  /// One step of a fixture, its rows in the order of their ids.
  private struct Step {
    let fixture: Fixture
    let ids: SampleIds
    let image: Tensor
    let text: Tensor
    private let order: Tensor

    init(_ name: String, _ number: Int) throws {
      fixture = try Fixture(name, prefix: "\(number).")
      let given = try fixture.tensor("ids").integers.map(Int.init)
      let sorted = given.indices.sorted { given[$0] < given[$1] }
      order = Tensor(sorted)
      ids = try SampleIds(sorted.map { given[$0] }, of: PublishedLossTests.samples, side: .image)
      image = try fixture.tensor("image").selected(0, indices: order)
      text = try fixture.tensor("text").selected(0, indices: order)
    }

    /// A tensor with a row for each pair.
    func rows(_ name: String) throws -> Tensor { try fixture.tensor(name).selected(0, indices: order) }

    func check(_ gradient: ContrastiveGradient) throws {
      expectClose(gradient.image.rows, try rows("grad.image"), "grad.image")
      expectClose(gradient.text.rows, try rows("grad.text"), "grad.text")
    }

    func check(_ state: SideState, _ letter: String) throws {
      for named in state.tensors {
        expectClose(named.tensor, try fixture.tensor("state.\(named.name)_\(letter)"), "state.\(named.name)_\(letter)")
      }
    }

    func constant(_ value: Double) -> Tensor { .full([ids.values.count], value) }

    /// The averages of the anchors: in the first step, the fixtures' epoch 0, all are new.
    func averages(_ state: SideState, isFirst: Bool) -> AnchorAverages {
      let averages = state.averages(of: ids)
      return AnchorAverages(
        s: averages.s, b: averages.b,
        isNew: isFirst ? .ones(averages.s.shape, dtype: .bool) : .zeros(averages.s.shape, dtype: .bool))
    }
  }

  @Test(arguments: [("clip", nil), ("cyclip", CyclicTerms())] as [(String, CyclicTerms?)])
  func `cross-entropies are the published ones`(name: String, cyclic: CyclicTerms?) throws {
    for number in 0..<3 {
      let step = try Step(name, number)
      let tau = step.constant(Self.tau)
      let batch = ContrastiveBatch(image: .init(step.image, tau: tau), text: .init(step.text, tau: tau))
      let gradient = ContrastiveGradient(
        .crossEntropy, of: batch, weight: 1 / Double(2 * batch.count), cyclic: cyclic)
      expectClose(gradient.loss, try step.fixture.tensor("loss"), "loss")
      try step.check(gradient)
    }
  }

  @Test func `SogCLR is the published one`() throws {
    let loss = AnchorLoss.robust(MovingAverage(gamma: Self.gamma, normaliser: .mean))
    let states = (image: SideState(count: Self.samples), text: SideState(count: Self.samples))
    for number in 0..<3 {
      let step = try Step("sogclr", number)
      let tau = step.constant(Self.tau)
      let batch = ContrastiveBatch(
        image: .init(step.image, tau: tau, averages: step.averages(states.image, isFirst: number == 0)),
        text: .init(step.text, tau: tau, averages: step.averages(states.text, isFirst: number == 0)))
      let gradient = ContrastiveGradient(loss, of: batch, weight: 1 / Double(batch.count))
      expectClose(gradient.loss, try step.fixture.tensor("loss"), "loss")
      try step.check(gradient)
      states.image.set(gradient.image.averages!, of: step.ids)
      states.text.set(gradient.text.averages!, of: step.ids)
      try step.check(states.image, "I")
      try step.check(states.text, "T")
    }
  }

  @Test func `iSogCLR is the published one`() throws {
    let loss = AnchorLoss.robust(MovingAverage(gamma: Self.gamma, normaliser: .sum, rho: Self.rho))
    let rule = TemperatureStep(rate: 0.03, bounds: 0.005...0.05)
    let states = (
      image: SideState(count: Self.samples, tau: 0.02), text: SideState(count: Self.samples, tau: 0.02)
    )
    for number in 0..<3 {
      let step = try Step("isogclr", number)
      func side(_ rows: Tensor, _ state: SideState) -> ContrastiveBatch.Side {
        ContrastiveBatch.Side(
          rows, tau: state.individual!.temperatures(of: step.ids), averages: step.averages(state, isFirst: number == 0))
      }
      let batch = ContrastiveBatch(image: side(step.image, states.image), text: side(step.text, states.text))
      expectClose(batch.image.tau, try step.rows("tau_image"), "tau_image")
      expectClose(batch.text.tau, try step.rows("tau_text"), "tau_text")
      let gradient = ContrastiveGradient(loss, of: batch, weight: 1 / Double(batch.count))
      expectClose(gradient.loss, try step.fixture.tensor("loss"), "loss")
      try step.check(gradient)
      for (state, result) in [(states.image, gradient.image), (states.text, gradient.text)] {
        state.set(result.averages!, of: step.ids)
        state.individual!.step(result.slopes, of: step.ids, rule)
      }
      try step.check(states.image, "I")
      try step.check(states.text, "T")
    }
  }

  @Test func `TempNet with the robust loss is the published one`() throws {
    let settings = EmbeddingTempNetSettings(width: 12, units: 256, tauMin: 0.005, tauMax: 0.05, rho: Self.rho)
    let loss = AnchorLoss.robust(MovingAverage(gamma: Self.gamma, normaliser: .sum, rho: Self.rho))
    let states = (image: SideState(count: Self.samples), text: SideState(count: Self.samples))
    for number in 0..<3 {
      let step = try Step("isogclr_tempnet", number)
      let weights = try Fixture("isogclr_tempnet")
      let networks = try EmbeddingSide.allCases.map { try weights.network($0, settings, dtype: .float32) }
      let taus = [networks[0](step.image), networks[1](step.text)]
      expectClose(taus[0], try step.rows("tau_image"), "tau_image")
      expectClose(taus[1], try step.rows("tau_text"), "tau_text")
      let batch = ContrastiveBatch(
        image: .init(step.image, tau: taus[0], averages: step.averages(states.image, isFirst: number == 0)),
        text: .init(step.text, tau: taus[1], averages: step.averages(states.text, isFirst: number == 0)))
      let gradient = ContrastiveGradient(loss, of: batch, weight: 1 / Double(batch.count))
      expectClose(gradient.loss, try step.fixture.tensor("contrastive_loss"), "contrastive_loss")
      let temperatureLoss = ((taus[0] * gradient.image.slopes).mean() + (taus[1] * gradient.text.slopes).mean())
      expectClose(temperatureLoss.detached(), try step.fixture.tensor("temperature_loss"), "temperature_loss")
      try step.check(gradient)
      for (index, side) in [gradient.image, gradient.text].enumerated() {
        taus[index].backward(side.tau)
        let name = EmbeddingTempNetFile.prefix(EmbeddingSide.allCases[index])
        for parameter in networks[index].parameters {
          expectClose(
            parameter.tensor.gradient!, try step.fixture.tensor("grad.\(name).\(parameter.name)"),
            "grad.\(name).\(parameter.name)")
        }
      }
      states.image.set(gradient.image.averages!, of: step.ids)
      states.text.set(gradient.text.averages!, of: step.ids)
      try step.check(states.image, "I")
      try step.check(states.text, "T")
    }
  }
}
