import ContrastiveLosses
import StageDescriptions
import TempNet
import TemperatureSettings
import Torch

/// A contrastive loss with what it remembers of samples and learns beside the encoders.
final class ContrastObjective {
  private let configuration: ContrastConfiguration
  /// ln(1 / τ) of a learned temperature, of the encoder's parameters.
  private let logitScale: Tensor
  /// By side, images first; nil of losses without.
  let states: [SideState]?
  let networks: [JointEmbeddingNetwork]?

  /// What a step gives.
  struct Outcome {
    let gradient: ContrastiveGradient
    /// The temperatures of the anchors, by side, [B].
    let temperatures: [Tensor]
  }

  /// - Parameters:
  ///   - samples: the numbers of pictures and of captions.
  ///   - embed: the width of the encoders' rows.
  ///   - logitScale: records gradients where it is learned.
  init(_ configuration: ContrastConfiguration, samples: [Int], embed: Int, logitScale: Tensor) {
    self.configuration = configuration
    self.logitScale = logitScale
    let (dtype, device) = (logitScale.dtype, logitScale.device)
    let tau = configuration.loss == .isogclr ? configuration.temperature : nil
    states =
      configuration.loss.isRobust
      ? samples.map { SideState(count: $0, tau: tau, dtype: dtype, device: device) } : nil
    networks =
      configuration.loss.trainsTempNet
      ? samples.map { _ in
        let network = EmbeddingTemperatureNetwork(configuration.tempnetSettings(width: embed))
        return JointEmbeddingNetwork(
          network.mapped { $0.to(dtype).to(device) }, coordinates: configuration.tempnet.coordinates)
      } : nil
    for network in networks ?? [] { network.requireGradients() }
    if configuration.loss.learnsScale { logitScale.requiringGradient() }
  }

  /// What changes from step to step beside the parameters.
  var buffers: [NamedTensor] {
    named(states?.map(\.tensors)) { $0.rawValue } + named(networks?.map(\.buffers), EmbeddingTempNetFile.prefix)
  }

  var networkParameters: [NamedTensor] { named(networks?.map(\.parameters), EmbeddingTempNetFile.prefix) }

  private func named(_ tensors: [[NamedTensor]]?, _ prefix: (EmbeddingSide) -> String) -> [NamedTensor] {
    zip(EmbeddingSide.allCases, tensors ?? []).flatMap { side, tensors in
      tensors.map { NamedTensor("\(prefix(side)).\($0.name)", $0.tensor) }
    }
  }

  /// Leaves gradients in what is learned beside the encoders, and updates the states.
  ///
  /// - Parameters:
  ///   - rows: unit rows of both sides, [B, embed], images first.
  ///   - ids: of pictures and captions.
  ///   - epoch: counted from 0.
  func addGradients(_ rows: [Tensor], _ ids: [SampleIds], step: Int, epoch: Int) -> Outcome {
    let count = rows[0].size(0)
    if let networks { for (network, rows) in zip(networks, rows) { network.updateMoments(rows, step: step) } }
    let temperatures = temperatures(rows, ids, training: true)
    let sides = rows.indices.map { side in
      ContrastiveBatch.Side(rows[side], tau: temperatures[side], averages: states?[side].averages(of: ids[side]))
    }
    let gradient = ContrastiveGradient(
      configuration.anchorLoss(epoch: epoch), of: ContrastiveBatch(image: sides[0], text: sides[1]),
      weight: configuration.anchorWeight(batch: count), cyclic: configuration.loss == .cyclip ? CyclicTerms() : nil,
      tileRows: configuration.tileRows)
    for (side, result) in [gradient.image, gradient.text].enumerated() {
      if let averages = result.averages { states?[side].set(averages, of: ids[side]) }
      if networks != nil { temperatures[side].backward(result.tau) }
      states?[side].individual?.step(result.slopes, of: ids[side], configuration.temperatureStep)
    }
    if configuration.loss.learnsScale {
      logitScale.backward(
        LearnedScale.gradient(gradient, temperature: LearnedScale.temperature(logitScale)).to(logitScale.dtype))
    }
    return Outcome(gradient: gradient, temperatures: temperatures.map { $0.detached() })
  }

  /// The temperatures of anchors, [B] a side.
  private func temperatures(_ rows: [Tensor], _ ids: [SampleIds], training: Bool) -> [Tensor] {
    if let networks { return zip(networks, rows).map { $0($1, training: training) } }
    if let states, states[0].individual != nil {
      return zip(states, ids).map { $0.individual!.temperatures(of: $1) }
    }
    let tau =
      configuration.loss.learnsScale ? LearnedScale.temperature(logitScale.detached()) : configuration.temperature
    return rows.map { .full([$0.size(0)], tau, dtype: $0.dtype, device: $0.device) }
  }
}

extension ContrastConfiguration {
  var bounds: ClosedRange<Double> { tauMin...tauMax }

  fileprivate var temperatureStep: TemperatureStep {
    TemperatureStep(rate: individual.rate, momentum: individual.momentum, clip: individual.clip, bounds: bounds)
  }

  fileprivate func tempnetSettings(width: Int) -> EmbeddingTempNetSettings {
    EmbeddingTempNetSettings(
      form: tempnet.form, width: width, units: tempnet.units, tauMin: tauMin, tauMax: tauMax, rho: budget?.rho ?? 0,
      dropout: tempnet.dropout)
  }

  private var gammas: GammaSchedule {
    gammaShape == .constant ? .constant(gamma) : .cosine(least: gamma, epochs: max(1, Int((epochs / 2).rounded(.up))))
  }

  /// SogCLR and FastCLIP average means over the negatives, iSogCLR and TempNet sums, each as published.
  fileprivate func anchorLoss(epoch: Int) -> AnchorLoss {
    guard loss.isRobust else { return .crossEntropy }
    return .robust(
      MovingAverage(
        gamma: gammas.gamma(epoch: epoch), normaliser: loss == .isogclr || loss == .tempnet ? .sum : .mean,
        rho: budget?.rho ?? 0))
  }

  /// Cross-entropies, and FastCLIP, are means of both sides; the other robust losses are sums.
  fileprivate func anchorWeight(batch: Int) -> Double {
    loss.isRobust && loss != .fastclip ? 1 / Double(batch) : 1 / Double(2 * batch)
  }
}
