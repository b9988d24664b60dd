import Glibc
import TempNet
import TemperatureSettings
import Testing
import Torch

@testable import ContrastiveLosses

/// The losses without numbers of the authors: against PyTorch in float64, and against their own differences.
@Suite struct OtherLossTests {
  static let tau = 0.07
  static let rho = 0.7

  private static func settings(_ form: EmbeddingTempNetSettings.Form) -> EmbeddingTempNetSettings {
    EmbeddingTempNetSettings(form: form, width: 12, units: 16, tauMin: 0.02, tauMax: 0.2, rho: rho)
  }

  private func batch(_ fixture: Fixture, tau: Double = tau, averages: Bool = false) throws -> ContrastiveBatch {
    let image = try fixture.tensor("image")
    let text = try fixture.tensor("text")
    let taus = Tensor.full([image.size(0)], tau, dtype: .float64)
    let fresh = averages ? SideState(count: image.size(0), dtype: .float64) : nil
    func side(_ rows: Tensor) -> ContrastiveBatch.Side {
      .init(rows, tau: taus, averages: fresh.map { AnchorAverages(s: $0.s, b: $0.b) })
    }
    return ContrastiveBatch(image: side(image), text: side(text))
  }

  private func check(_ gradient: ContrastiveGradient, _ fixture: Fixture) throws {
    expectClose(gradient.image.rows, try fixture.tensor("grad.image"), "grad.image", within: 1e-10)
    expectClose(gradient.text.rows, try fixture.tensor("grad.text"), "grad.text", within: 1e-10)
  }

  @Test func `CLIP with a learned scale equals PyTorch's`() throws {
    let fixture = try Fixture("other_losses", prefix: "clip_learned.")
    let batch = try batch(fixture)
    let gradient = ContrastiveGradient(.crossEntropy, of: batch, weight: 1 / Double(2 * batch.count))
    expectClose(gradient.loss, try fixture.tensor("loss"), "loss", within: 1e-10)
    try check(gradient, fixture)
    expectClose(
      LearnedScale.gradient(gradient, temperature: Self.tau), try fixture.tensor("grad.logit_scale"),
      "grad.logit_scale",
      within: 1e-10)
  }

  @Test(arguments: EmbeddingTempNetSettings.Form.allCases)
  func `TempNet without the robust loss equals PyTorch's`(form: EmbeddingTempNetSettings.Form) throws {
    let fixture = try Fixture("other_losses", prefix: "tempnet_\(form.rawValue).")
    let networks = try EmbeddingSide.allCases.map { try fixture.network($0, Self.settings(form), dtype: .float64) }
    let (image, text) = (try fixture.tensor("image"), try fixture.tensor("text"))
    let taus = [networks[0](image), networks[1](text)]
    let batch = ContrastiveBatch(image: .init(image, tau: taus[0]), text: .init(text, tau: taus[1]))
    let gradient = ContrastiveGradient(.crossEntropy, of: batch, weight: 1 / Double(2 * batch.count))
    expectClose(gradient.loss, try fixture.tensor("loss"), "loss", within: 1e-10)
    try check(gradient, fixture)
    for (index, side) in [gradient.image, gradient.text].enumerated() {
      let name = EmbeddingSide.allCases[index]
      expectClose(taus[index].detached(), try fixture.tensor("tau.\(name.rawValue)"), "tau", within: 1e-10)
      taus[index].backward(side.tau)
      for parameter in networks[index].parameters {
        expectClose(
          parameter.tensor.gradient!,
          try fixture.tensor("grad.\(EmbeddingTempNetFile.prefix(name)).\(parameter.name)"), parameter.name,
          within: 1e-10)
      }
    }
  }

  @Test func `SogCLR with gamma 1 has the gradient of the loss without the pair`() throws {
    let fixture = try Fixture("other_losses", prefix: "sogclr_gamma_1.")
    let batch = try batch(fixture, averages: true)
    for normaliser in [MovingAverage.Normaliser.mean, .sum] {
      let gradient = ContrastiveGradient(
        .robust(MovingAverage(gamma: 1, normaliser: normaliser)), of: batch, weight: 1 / Double(batch.count))
      try check(gradient, fixture)
    }
  }

  @Test func `FastCLIP equals PyTorch's over three steps`() throws {
    let states = EmbeddingSide.allCases.map { _ in SideState(count: 24, dtype: .float64) }
    let schedule = GammaSchedule.cosine(least: 0.2, epochs: 4)
    for number in 0..<3 {
      let fixture = try Fixture("other_losses", prefix: "fastclip.\(number).")
      let gamma = schedule.gamma(epoch: number)
      expectClose(Tensor([gamma]), try fixture.tensor("gamma"), "gamma", within: 1e-12)
      let tau = LearnedScale.temperature(try fixture.tensor("logit_scale"))
      let ids = try SampleIds(try fixture.tensor("ids").integers.map(Int.init), of: 24, side: .image)
      let taus = Tensor.full([8], tau, dtype: .float64)
      let batch = ContrastiveBatch(
        image: .init(try fixture.tensor("image"), tau: taus, averages: states[0].averages(of: ids)),
        text: .init(try fixture.tensor("text"), tau: taus, averages: states[1].averages(of: ids)))
      let gradient = ContrastiveGradient(
        .robust(MovingAverage(gamma: gamma, rho: Self.rho)), of: batch, weight: 1 / Double(2 * batch.count))
      try check(gradient, fixture)
      expectClose(
        LearnedScale.gradient(gradient, temperature: tau), try fixture.tensor("grad.logit_scale"), "grad.logit_scale",
        within: 1e-10)
      for (state, side) in zip(states, [("image", gradient.image), ("text", gradient.text)]) {
        state.set(side.1.averages!, of: ids)
        // Ours lies in units of exp(b), so that no exponential overflows.
        expectClose(
          state.s * state.b.exp(), try fixture.tensor("u_\(side.0)"), "u_\(side.0)", within: 1e-10)
      }
    }
  }

  // MARK: - Differences

  /// The derivative of `value` by each element of a tensor, by central differences in float64.
  private func differences(_ tensor: Tensor, _ value: () -> Double) -> [Double] {
    let step = 1e-6
    var elements = tensor.doubles
    let shape = tensor.shape
    return elements.indices.map { index in
      func at(_ shift: Double) -> Double {
        let kept = elements[index]
        elements[index] = kept + shift
        tensor.copy(from: Tensor(elements, shape: shape))
        elements[index] = kept
        let result = value()
        tensor.copy(from: Tensor(elements, shape: shape))
        return result
      }
      return (at(step) - at(-step)) / (2 * step)
    }
  }

  private func expect(_ ours: Tensor, _ theirs: [Double], _ name: String) {
    expectClose(ours, Tensor(theirs, shape: ours.shape), name, within: 1e-7)
  }

  @Test func `the gradients of cross-entropies are their differences`() throws {
    let fixture = try Fixture("other_losses", prefix: "clip_learned.")
    let (image, text) = (try fixture.tensor("image"), try fixture.tensor("text"))
    let taus = [0.03, 0.05, 0.08, 0.1, 0.02, 0.2, 0.4, 0.06]
    let tau = [Tensor(taus), Tensor(Array(taus.reversed()))]
    for cyclic in [nil, CyclicTerms(inModal: 0.3, crossModal: 0.7)] {
      func gradient() -> ContrastiveGradient {
        ContrastiveGradient(
          .crossEntropy, of: ContrastiveBatch(image: .init(image, tau: tau[0]), text: .init(text, tau: tau[1])),
          weight: 1 / 16, cyclic: cyclic)
      }
      let found = gradient()
      expect(found.image.rows, differences(image) { gradient().loss.item }, "image")
      expect(found.text.rows, differences(text) { gradient().loss.item }, "text")
      expect(found.image.tau, differences(tau[0]) { gradient().loss.item }, "tau of images")
      expect(found.text.tau, differences(tau[1]) { gradient().loss.item }, "tau of texts")
    }
  }

  @Test func `the scale's gradient is the difference of the learned CLIP`() throws {
    let fixture = try Fixture("other_losses", prefix: "clip_learned.")
    let scale = Tensor([LearnedScale.initial(temperature: Self.tau)], shape: [])
    func gradient() throws -> ContrastiveGradient {
      let batch = try batch(fixture, tau: LearnedScale.temperature(scale))
      return ContrastiveGradient(.crossEntropy, of: batch, weight: 1 / 16)
    }
    let ours = LearnedScale.gradient(try gradient(), temperature: Self.tau)
    expect(ours, differences(scale) { (try? gradient().loss.item) ?? .nan }, "logit_scale")
  }

  /// `Σ_i τ_i ln mean_{j≠i} exp(x_ij) + ρ τ_i` over both sides, in plain numbers.
  private func robustObjective(_ image: Tensor, _ text: Tensor, _ tau: [Tensor]) -> Double {
    let similarity = image.matmul(text.transposed())
    return zip([similarity, similarity.transposed()], tau).reduce(0) { sum, side in
      let (s, taus) = (side.0.doubles, side.1.doubles)
      let count = taus.count
      return sum
        + (0..<count).reduce(0) { total, i in
          let mean =
            (0..<count).filter { $0 != i }.reduce(0.0) {
              $0 + exp((s[i * count + $1] - s[i * count + i]) / taus[i])
            } / Double(count - 1)
          return total + taus[i] * log(mean) + Self.rho * taus[i]
        }
    }
  }

  @Test func `the gradients of robust losses with gamma 1 are their differences, slopes too`() throws {
    let fixture = try Fixture("other_losses", prefix: "clip_learned.")
    let (image, text) = (try fixture.tensor("image"), try fixture.tensor("text"))
    let taus = [0.3, 0.15, 0.18, 0.1, 0.12, 0.2, 0.4, 0.26]
    let tau = [Tensor(taus), Tensor(Array(taus.reversed()))]
    let fresh = SideState(count: 8, dtype: .float64)
    for normaliser in [MovingAverage.Normaliser.mean, .sum] {
      let averages = AnchorAverages(s: fresh.s, b: fresh.b)
      let found = ContrastiveGradient(
        .robust(MovingAverage(gamma: 1, normaliser: normaliser, rho: Self.rho)),
        of: ContrastiveBatch(
          image: .init(image, tau: tau[0], averages: averages), text: .init(text, tau: tau[1], averages: averages)),
        weight: 1)
      expect(found.image.rows, differences(image) { robustObjective(image, text, tau) }, "image")
      expect(found.text.rows, differences(text) { robustObjective(image, text, tau) }, "text")
      expect(found.image.slopes, differences(tau[0]) { robustObjective(image, text, tau) }, "tau of images")
      expect(found.text.slopes, differences(tau[1]) { robustObjective(image, text, tau) }, "tau of texts")
    }
  }

  @Test func `the gradient of FastCLIP's scale with gamma 1 is the difference of its objective`() throws {
    let fixture = try Fixture("other_losses", prefix: "clip_learned.")
    let (image, text) = (try fixture.tensor("image"), try fixture.tensor("text"))
    let scale = Tensor([LearnedScale.initial(temperature: Self.tau)], shape: [])
    func tau() -> Tensor { .full([8], LearnedScale.temperature(scale), dtype: .float64) }
    let averages = SideState(count: 8, dtype: .float64)
    func side(_ rows: Tensor) -> ContrastiveBatch.Side {
      .init(rows, tau: tau(), averages: AnchorAverages(s: averages.s, b: averages.b))
    }
    let found = ContrastiveGradient(
      .robust(MovingAverage(gamma: 1, rho: Self.rho)), of: ContrastiveBatch(image: side(image), text: side(text)),
      weight: 1 / 16)
    let ours = LearnedScale.gradient(found, temperature: Self.tau)
    expect(ours, differences(scale) { robustObjective(image, text, [tau(), tau()]) / 16 }, "logit_scale")
  }
}
