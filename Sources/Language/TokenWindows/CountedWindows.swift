import LanguageModels
import Torch

/// Windows side by side on the model's device, and the places among them that count.
public struct CountedWindows {
  /// int64 [rows, context]
  public let inputs: Tensor
  /// int64 [rows, context]; nil when every window lies within one document.
  public let documentStarts: Tensor?
  /// The rows of the flattened hidden states that count, int64 [N]; nil when all do.
  public let places: Tensor?
  /// The tokens that these predict, int64 [N].
  public let labels: Tensor

  /// - Parameter places: those that count; nil for all that have a label.
  public init(_ batch: WindowBatch, places: [Int]? = nil, device: Device) {
    let counted = places ?? batch.countedPlaces
    self.init(
      shape: [batch.rows, batch.context], inputs: batch.inputs, documentStarts: batch.documentStarts, places: counted,
      labels: counted.map { batch.labels[$0] }, device)
  }

  public init(_ batch: ShiftedWindowBatch, device: Device) {
    self.init(
      shape: [batch.rows, batch.context], inputs: batch.inputs, documentStarts: batch.documentStarts,
      places: batch.countedPlaces, labels: batch.labels, device)
  }

  private init(
    shape: [Int], inputs: [Int64], documentStarts: [Int64]?, places: [Int], labels: [Int64], _ device: Device
  ) {
    self.inputs = Tensor(inputs, shape: shape).to(device)
    self.documentStarts = documentStarts.map { Tensor($0, shape: shape).to(device) }
    self.places = places.count == inputs.count ? nil : Tensor(places).to(device)
    self.labels = Tensor(labels).to(device)
  }
}

extension LanguageModel {
  /// The hidden states [N, width] at the places that count.
  ///
  /// - Parameter training: whether dropout acts.
  public func hiddenStates(of windows: CountedWindows, training: Bool = false) -> Tensor {
    let all = hiddenStates(windows.inputs, documentStarts: windows.documentStarts, training: training)
      .reshaped([-1, configuration.width])
    return windows.places.map { all.selected(0, indices: $0) } ?? all
  }
}
