import Artifacts
import Diagnostics
import JSON
import StageDescriptions
import TempNet
import TemperatureSettings

/// The model card of TempNets for images and texts.
struct EmbeddingTempNetCard {
  let settings: EmbeddingTempNetSettings
  let sides: [EmbeddingSide]
  let tempnet: Artifact

  private var history: TempNetHistory { TempNetHistory(tempnet.manifest) }

  /// `config.json`: every setting, how the networks were trained, and the keys of what they were made of.
  var configuration: JSON {
    var members = JSONObject([("architecture", "tempnet"), ("input", "embedding"), ("format_version", 1)])
    members["sides"] = .array(sides.map { .string($0.rawValue) })
    members["form"] = .string(settings.form.rawValue)
    members["width"] = .integer(settings.width)
    members["units"] = .integer(settings.units)
    members["tau_min"] = .number(settings.tauMin)
    members["tau_max"] = .number(settings.tauMax)
    members["rho"] = .number(settings.rho)
    members["dropout"] = .number(settings.dropout)
    members["origin"] = .string(history.origin.rawValue)
    members["objective"] = history.objective.map(JSON.string) ?? .null
    members["producer"] = .string("tempnet \(Release.version)")
    members["tempnet_key"] = .string(tempnet.key)
    members["inputs"] = .array(
      tempnet.manifest.inputs.map { ["name": .string($0.name), "kind": .string($0.kind), "key": .string($0.key)] })
    return .object(members)
  }

  /// `README.md`.
  var text: String {
    let anchors = sides.map { $0 == .image ? "a picture" : "a caption" }.joined(separator: " or ")
    let load = sides.map { "\($0)_net = EmbeddingTempNet.load(\"\(EmbeddingTempNetFile.name)\", \"\($0)\")" }
    return """
      # A temperature network for embeddings

      This TempNet predicts, from the embedding of \(anchors), the softmax temperature at which it is compared with
      others, between \(readable(settings.tauMin, digits: 4)) and \(readable(settings.tauMax, digits: 4)). Embeddings are
      rows of unit length, and temperatures divide their products. The method is that of "To Cool or not to Cool?
      Temperature Network Meets Large Foundation Models via DRO" (arXiv 2404.04575).

      \(history.sentencesOfEmbeddings)

      A temperature of its own for each query leaves the order of the query's candidates, and so every recall, as it is. It
      changes their probabilities.

      ## Use

      ```python
      from dual_encoder import EmbeddingTempNet

      \(load.joined(separator: "\n"))
      tau = \(sides[0])_net(embeddings)  # [..., \(settings.width)] -> [...]
      ```

      ## Settings

      | setting | value |
      |---|---|
      | form | \(settings.form == .prototypes ? "prototypes, as published" : "two linear layers with GELU") |
      | width of the embeddings | \(settings.width) |
      | \(settings.form == .prototypes ? "prototypes" : "hidden units") | \(settings.units) |
      | rho\(history.isRobust ? "" : ", not used in training") | \(readable(settings.rho, digits: 4)) nats |
      \(results)
      ## Origin

      Written by tempnet \(Release.version). Key of the TempNet: `\(tempnet.key)`. `config.json` names what it was made
      of. The Python files are licensed under the Apache License 2.0.

      """
  }

  /// The figures of a fit; empty for a TempNet without any.
  private var results: String {
    guard let validation = tempnet.summary[FitSummary.validation],
      let closed = validation["gap_closed"]?.doubleValue,
      let single = validation["robust_loss_best_single"]?.doubleValue,
      let fitted = validation["robust_loss"]?.doubleValue, let exact = validation["robust_loss_exact"]?.doubleValue
    else { return "" }
    return """

      ## Results

      On validation anchors, which decided when training stopped: the robust loss is \(readable(single, digits: 4)) at the
      best single temperature, \(readable(fitted, digits: 4)) at the TempNet's and \(readable(exact, digits: 4)) at the exact
      optimum of each anchor. It closes \(readable(100 * closed, digits: 1)) % of that gap.

      """
  }
}

extension TempNetHistory {
  /// As `sentences`, for a network that reads embeddings.
  fileprivate var sentencesOfEmbeddings: String {
    let elsewhere = "With the embeddings of another encoder its temperatures mean nothing."
    return switch origin {
    case .fitted:
      "It was fitted to a frozen dual encoder, whose weights stayed as they were, with \(loss). \(elsewhere)"
    case .joint: "It was trained jointly with its dual encoder, from the same batches, with \(loss). \(elsewhere)"
    case .imported:
      "Its weights were imported. How they were trained, and on what, is not recorded: bounds and rho are what the import "
        + "was told. \(elsewhere)"
    case .unknown: "How it was trained is not recorded. \(elsewhere)"
    }
  }
}
