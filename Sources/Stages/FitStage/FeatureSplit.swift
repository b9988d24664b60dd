import TempNet
import TemperatureSettings
import Torch

/// A split's features in memory: one row for each token, computed by the frozen model.
struct FeatureSplit {
  /// The last hidden states, [N, d].
  let hidden: Tensor
  let logits: LogitStatistics
  /// The logit of the label minus the largest, [N].
  let target: Tensor
  /// int64 [N]
  let label: Tensor
  let profile: TemperatureProfile

  var count: Int { hidden.size(0) }

  /// - Parameter head: the unembedding of the features' model.
  init(_ rows: FeatureRows, head: Head) {
    hidden = rows.hidden
    logits = LogitStatistics(
      maximum: rows.maximum, norm: rows.norm, centredNorm: rows.centredNorm, hidden: hidden, weight: head.weight,
      bias: head.bias)
    target = rows.labelLogit - rows.maximum
    label = rows.label
    profile = rows.profile
  }

  private init(_ all: FeatureSplit, _ indices: Tensor) {
    hidden = all.hidden.selected(0, indices: indices)
    logits = all.logits.rows(indices)
    target = all.target.selected(0, indices: indices)
    label = all.label.selected(0, indices: indices)
    profile = all.profile.rows(indices)
  }

  /// The rows that the indices name, in their order.
  func rows(_ indices: [Int]) -> FeatureSplit { FeatureSplit(self, Tensor(indices).to(hidden.device)) }

  /// The moments of the rows as a network's inputs, and their mean. The mean of normalised logits is linear in the hidden
  /// states, so one product with the unembedding gives it.
  func moments(_ settings: TempNetSettings, _ head: Head) -> (InputMoments, FoldedMean) {
    let mean = FoldedMean(settings, hidden: hidden, logits: logits)
    let moments = InputMoments(
      mean: mean.ofInputs(settings.input == .hidden ? nil : head.weight, bias: head.bias),
      scales: settings.input == .scaled ? logits.scales(settings.normalisationEpsilon) : nil)
    return (moments, mean)
  }
}
