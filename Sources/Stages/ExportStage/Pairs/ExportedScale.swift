import ContrastiveLosses
import Diagnostics
import EncoderDescriptions
import Glibc
import ImageTextModels
import Torch

/// The factor between similarities and logits as an export states it, with what the card says of it.
struct ExportedScale {
  let origin: LogitScale.Origin
  /// ln of the factor.
  let logarithm: Double
  /// The single temperature that validation chose, where it was below what other tools allow.
  private let clampedFrom: Double?

  /// A scale that validation chose is kept to open_clip's bound of ln 100; learned ones never leave it, and fixed
  /// temperatures are what the encoder was trained at.
  init(_ scale: LogitScale) {
    origin = scale.origin
    let limit = LearnedScale.bounds.upperBound
    let isClamped = scale.origin == .validation && log(scale.value) > limit
    logarithm = isClamped ? limit : log(scale.value)
    clampedFrom = isClamped ? 1 / scale.value : nil
  }

  /// Of rank 0.
  var parameter: NamedTensor { NamedTensor("logit_scale", Tensor(scalar: Float(logarithm))) }

  /// For the log; nil if the scale is the encoder's own.
  var warning: String? {
    clampedFrom.map {
      "the best single temperature on validation is \(readable($0, digits: 4)), below the 0.01 that open_clip allows: the "
        + "export states ln 100 as its logit_scale"
    }
  }

  /// For the card.
  var sentence: String {
    let value =
      "`logit_scale` is \(fixed(logarithm, digits: 4)), so that the temperature is\n"
      + "\(readable(exp(-logarithm), digits: 4)): "
    switch origin {
    case .learned: return value + "it was learned with the encoder."
    case .fixed: return value + "the fixed one that the encoder was trained at."
    case .given: return value + "it was stated by hand."
    case .validation:
      let clamped = clampedFrom.map {
        " That was \(readable($0, digits: 4)); it stands at ln 100, the greatest that open_clip allows."
      }
      return value
        + "training had many temperatures, and this is the best single one by likelihood on the\nvalidation split."
        + (clamped ?? "")
    }
  }
}
