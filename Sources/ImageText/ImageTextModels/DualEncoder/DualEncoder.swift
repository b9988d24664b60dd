import EncoderDescriptions
import Glibc
import Torch

/// Two encoders that bring pictures and texts into one space, and the scale of its similarities.
///
/// Form `heads`: a head for each side on the embeddings of frozen towers.
public final class DualEncoder: Module {
  public let configuration: DualEncoderConfiguration
  /// The logarithm of the factor between similarities and logits, of rank 0, as open_clip keeps it.
  public let logitScale: Tensor
  /// How `logitScale` came about.
  public var scaleOrigin: LogitScale.Origin
  public let device: Device
  private let encoders: Encoders

  enum Encoders {
    case heads(image: ProjectionHead, text: ProjectionHead)
  }

  static let logitScaleName = "logit_scale"

  /// An encoder with initial weights, which depend on the seed and not on the device.
  public convenience init(
    _ configuration: DualEncoderConfiguration, seed: UInt64, scale: LogitScale, device: Device = .cpu
  ) {
    self.init(
      configuration, Encoders(configuration, seed: seed), logitScale: Tensor(scalar: Float(log(scale.value))),
      scaleOrigin: scale.origin, device: device)
  }

  init(
    _ configuration: DualEncoderConfiguration, _ encoders: Encoders, logitScale: Tensor,
    scaleOrigin: LogitScale.Origin, device: Device
  ) {
    self.configuration = configuration
    self.encoders = encoders.mapped { $0.to(device) }
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
    }
  }

  /// Those of the encoders, then `logit_scale`.
  public var parameters: [NamedTensor] { encoderParameters + [NamedTensor(Self.logitScaleName, logitScale)] }

  /// Rows of unit length, float32 [B, embed].
  ///
  /// - Parameters:
  ///   - x: embeddings of the image tower, float32 [B, Di].
  ///   - training: whether dropout acts; it draws from the generator that `TorchRuntime.seed` sets.
  ///   - computeType: of the large products' factors.
  public func images(_ x: Tensor, training: Bool = false, computeType: DType = .float32) -> Tensor {
    switch encoders {
    case .heads(let image, _): image(x, training: training, computeType: computeType).unitRows()
    }
  }

  /// Rows of unit length, float32 [B, embed].
  ///
  /// - Parameters:
  ///   - x: embeddings of the text tower, float32 [B, Dt].
  ///   - training: as for ``images(_:training:computeType:)``.
  public func texts(_ x: Tensor, training: Bool = false, computeType: DType = .float32) -> Tensor {
    switch encoders {
    case .heads(_, let text): text(x, training: training, computeType: computeType).unitRows()
    }
  }
}

extension DualEncoder.Encoders {
  init(_ configuration: DualEncoderConfiguration, seed: UInt64) {
    switch configuration {
    case .heads(let heads):
      func head(_ tower: TowerRecord, _ index: UInt64) -> ProjectionHead {
        ProjectionHead(
          tower.width, hidden: heads.hidden, heads.embed, dropout: heads.dropout, seed: seed, index: index)
      }
      self = .heads(image: head(heads.image, 0), text: head(heads.text, 1))
    }
  }

  func mapped(_ change: (Tensor) -> Tensor) -> Self {
    switch self {
    case .heads(let image, let text): .heads(image: image.mapped(change), text: text.mapped(change))
    }
  }
}
