import Artifacts
import JSON
import StageDescriptions

/// How a TempNet came to be, as the manifest of its artifact tells.
struct TempNetHistory {
  enum Origin: String {
    /// Fitted to the features of a frozen model.
    case fitted
    /// Trained together with the model whose artifact holds it.
    case joint
    /// Weights of the published code, or of a file.
    case imported
    case unknown
  }

  let origin: Origin
  /// The loss that it was trained with, as the configuration of its stage names it; nil where that is not recorded.
  let objective: String?
  private let inputs: [InputReference]

  /// Whether its loss contains the budget rho: false for a likelihood, true also where the loss is not recorded.
  var isRobust: Bool { objective.map { $0 == "robust" } ?? true }

  init(_ manifest: Manifest) {
    origin =
      switch manifest.producer.stage {
      case Fit.name: .fitted
      case Pretrain.name, Contrast.name: .joint
      case Import.name: .imported
      default: .unknown
      }
    objective =
      switch manifest.producer.stage {
      case Import.name: nil
      case Contrast.name: Self.objective(ofLoss: manifest.configuration["loss"]?.stringValue)
      default: manifest.configuration["objective"]?.stringValue
      }
    inputs = manifest.inputs
  }

  /// As `fit` and `pretrain` name it.
  private static func objective(ofLoss loss: String?) -> String? {
    switch loss {
    case ContrastConfiguration.Loss.tempnet.rawValue: FitConfiguration.Objective.robust.rawValue
    case ContrastConfiguration.Loss.tempnetCrossEntropy.rawValue:
      PretrainConfiguration.Objective.tempnetCrossEntropy.rawValue
    default: loss
    }
  }

  /// For the card: origin, loss, data, and which model it belongs to.
  var sentences: String {
    switch origin {
    case .fitted:
      """
      It was fitted to a frozen language model, whose weights stayed as they were, with \(loss), on the features
      \(keys("features")) of that model. With the logits of another model its temperatures mean nothing.
      """
    case .joint:
      """
      It was trained jointly with its language model, from the same batches, with \(loss), on the tokens
      \(keys("tokens")). With the logits of another model its temperatures mean nothing.
      """
    case .imported:
      """
      Its weights were imported from \(inputs.map { "`\($0.name)`" }.joined(separator: ", ")). How they were trained, and on
      what, is not recorded: bounds, input and budget are what the import was told. With the logits of another model
      than its own its temperatures mean nothing.
      """
    case .unknown:
      "How it was trained is not recorded. With the logits of another model than its own its temperatures mean nothing."
    }
  }

  var loss: String {
    switch objective {
    case FitConfiguration.Objective.robust.rawValue, PretrainConfiguration.Objective.robust.rawValue: "the robust loss"
    case FitConfiguration.Objective.crossEntropy.rawValue,
      PretrainConfiguration.Objective.tempnetCrossEntropy.rawValue:
      "the cross-entropy at its own temperatures (the likelihood), not the robust loss"
    case "autodeco":
      "AutoDeco's loss, the cross-entropy weighted by the label's probability at temperature 1, not the robust loss"
    case "autodeco_tempered":
      "AutoDeco's loss in its other published form, weighted by the label's tempered probability, not the robust loss"
    case .some(let other): "the objective `\(other)`"
    case nil: "an objective that is not recorded"
    }
  }

  private func keys(_ name: String) -> String {
    let keys = inputs.filter { $0.name == name }.map { "`\($0.key.prefix(16))`" }
    return keys.isEmpty ? "(not recorded)" : keys.joined(separator: ", ")
  }
}
