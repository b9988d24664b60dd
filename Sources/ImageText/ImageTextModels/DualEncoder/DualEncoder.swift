import EncoderDescriptions
import Glibc
import Pictures
import Torch

/// Two encoders that bring pictures and texts into one space, and the scale of its similarities.
///
/// Form `heads`: a head for each side on the embeddings of frozen towers. Form `towers`: encoders that read pictures and
/// captions themselves, open_clip's native CLIP.
public final class DualEncoder: Module {
  public let configuration: DualEncoderConfiguration
  /// The logarithm of the factor between similarities and logits, of rank 0, as open_clip keeps it.
  public let logitScale: Tensor
  /// How `logitScale` came about.
  public var scaleOrigin: LogitScale.Origin
  public let device: Device
  /// The vocabulary of captions in the form `towers`; nil in the form `heads`.
  public let captionTokenizer: CaptionTokenizer?
  private let encoders: Encoders

  enum Encoders {
    case heads(image: ProjectionHead, text: ProjectionHead)
    case towers(image: VisionTransformer, text: TextTransformer, TowerTensors)
  }

  public static let logitScaleName = "logit_scale"

  /// An encoder with initial weights, which depend on the seed and not on the device.
  ///
  /// - Parameter captionTokenizer: for the form `towers`, of the vocabulary and context that the configuration states.
  public convenience init(
    _ configuration: DualEncoderConfiguration, seed: UInt64, scale: LogitScale,
    captionTokenizer: CaptionTokenizer? = nil, device: Device = .cpu
  ) {
    self.init(
      configuration, Encoders(configuration, seed: seed, device: device),
      logitScale: Tensor(scalar: Float(log(scale.value))), scaleOrigin: scale.origin,
      captionTokenizer: captionTokenizer, device: device)
  }

  /// - Parameter encoders: on the device.
  init(
    _ configuration: DualEncoderConfiguration, _ encoders: Encoders, logitScale: Tensor,
    scaleOrigin: LogitScale.Origin, captionTokenizer: CaptionTokenizer?, device: Device
  ) {
    if case .towers(let towers) = configuration {
      precondition(
        captionTokenizer?.vocabularySize == towers.text.vocabulary
          && captionTokenizer?.context == towers.text.context, "towers need a vocabulary of their size")
    } else {
      precondition(captionTokenizer == nil, "heads read no captions")
    }
    self.configuration = configuration
    self.encoders = encoders
    self.captionTokenizer = captionTokenizer
    self.logitScale = logitScale.to(device)
    self.scaleOrigin = scaleOrigin
    self.device = device
  }

  /// The width of the common space.
  public var embed: Int { configuration.embed }

  /// exp(logitScale) and its origin.
  public var scale: LogitScale { LogitScale(exp(logitScale.item), from: scaleOrigin) }

  /// The parameters of both encoders, those of pictures first.
  public var encoderParameters: [NamedTensor] {
    switch encoders {
    case .heads(let image, let text):
      image.parameters(under: "image_head") + text.parameters(under: "text_head")
    case .towers(_, _, let tensors): tensors.list
    }
  }

  /// Of these, those that learn.
  public func encoderParameters(of part: TrainedPart) -> [NamedTensor] {
    encoderParameters.filter { parameter in
      let isOfImages = ["visual.", "image_head."].contains(where: parameter.name.hasPrefix)
      switch part {
      case .all: return true
      case .image: return isOfImages
      case .text: return !isOfImages
      case .heads:
        guard case .towers = encoders else { return true }
        return ["visual.proj", "text_projection"].contains(parameter.name)
      }
    }
  }

  /// How stored pictures become what ``images(_:training:computeType:)`` reads in the form `towers`; nil in the form
  /// `heads`.
  public var transform: PictureTransform? {
    guard case .towers(let towers) = configuration else { return nil }
    return PictureTransform(size: towers.vision.size, mean: towers.mean, deviation: towers.deviation)
  }

  /// Those of the encoders, then `logit_scale`.
  public var parameters: [NamedTensor] { encoderParameters + [NamedTensor(Self.logitScaleName, logitScale)] }

  /// Rows of unit length, float32 [B, embed].
  ///
  /// - Parameters:
  ///   - x: embeddings of the frozen image tower, float32 [B, Di]; in the form `towers` pictures as ``transform`` gives
  ///     them, float32 [B, 3, S, S].
  ///   - training: whether dropout acts; it draws from the generator that `TorchRuntime.seed` sets.
  ///   - computeType: of the large products' factors.
  public func images(_ x: Tensor, training: Bool = false, computeType: DType = .float32) -> Tensor {
    switch encoders {
    case .heads(let image, _): image(x, training: training, computeType: computeType).unitRows()
    case .towers(let image, _, _): image(x, training: training, computeType: computeType).unitRows()
    }
  }

  /// Rows of unit length, float32 [B, embed].
  ///
  /// - Parameters:
  ///   - x: embeddings of the frozen text tower, float32 [B, Dt]; in the form `towers` captions as
  ///     ``CaptionTokenizer/padded(_:)`` gives them, int64 [B, T].
  ///   - training: as for ``images(_:training:computeType:)``.
  public func texts(_ x: Tensor, training: Bool = false, computeType: DType = .float32) -> Tensor {
    switch encoders {
    case .heads(_, let text): text(x, training: training, computeType: computeType).unitRows()
    case .towers(_, let text, _): text(x, training: training, computeType: computeType).unitRows()
    }
  }
}

extension DualEncoder.Encoders {
  init(_ configuration: DualEncoderConfiguration, seed: UInt64, device: Device) {
    switch configuration {
    case .heads(let heads):
      func head(_ tower: TowerRecord, _ index: UInt64) -> ProjectionHead {
        ProjectionHead(
          tower.width, hidden: heads.hidden, heads.embed, dropout: heads.dropout, seed: seed, index: index
        ).mapped { $0.to(device) }
      }
      self = .heads(image: head(heads.image, 0), text: head(heads.text, 1))
    case .towers(let towers):
      self.init(towers, TowerTensors(towers, seed: seed), device: device)
    }
  }

  init(_ configuration: TowersConfiguration, _ tensors: TowerTensors, device: Device) {
    let tensors = TowerTensors(tensors.list.map { NamedTensor($0.name, $0.tensor.to(device)) })
    self = .towers(
      image: VisionTransformer(configuration.vision, dropout: configuration.dropout, tensors),
      text: TextTransformer(configuration.text, dropout: configuration.dropout, tensors, device: device), tensors)
  }
}
