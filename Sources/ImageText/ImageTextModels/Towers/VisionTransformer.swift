import EncoderDescriptions
import Torch

/// A vision transformer (Dosovitskiy et al. 2021) in open_clip's form: patches and a class token, a norm before and one
/// after the blocks, the class token projected without a bias.
struct VisionTransformer {
  private let patch: Int
  /// [width, 3, patch, patch]
  private let patches: Tensor
  private let classToken: Tensor
  private let positions: Tensor
  private let normBefore: LayerNorm
  private let blocks: [EncoderBlock]
  private let normAfter: LayerNorm
  /// [width, embed]
  private let projection: Tensor
  private let dropout: Double

  /// - Parameter dropout: the share that training drops of what enters the blocks and of what each half of a block adds.
  init(_ configuration: TowersConfiguration.Vision, dropout: Double = 0, _ tensors: TowerTensors) {
    patch = configuration.patch
    self.dropout = dropout
    patches = tensors["visual.conv1.weight"]
    classToken = tensors["visual.class_embedding"]
    positions = tensors["visual.positional_embedding"]
    let epsilon = configuration.block.normEpsilon
    normBefore = tensors.norm("visual.ln_pre", epsilon)
    blocks = (0..<configuration.layers).map { layer in
      tensors.block(
        "visual.transformer.resblocks.\(layer)", heads: configuration.heads, configuration.block)
    }
    normAfter = tensors.norm("visual.ln_post", epsilon)
    projection = tensors["visual.proj"]
  }

  /// Embeddings [B, embed] of pictures [B, 3, S, S].
  func callAsFunction(_ pictures: Tensor, training: Bool = false, computeType: DType) -> Tensor {
    let width = classToken.size(0)
    let dropout = training ? dropout : 0
    let tokens = Tensor.concatenate(
      [classToken.expanded([pictures.size(0), 1, width]), embedded(pictures.to(classToken.dtype), computeType)],
      dimension: 1)
    let entering = normBefore((tokens + positions).dropout(dropout))
    let states = blocks.reduce(entering) { $1($0, dropout: dropout, computeType: computeType) }
    return normAfter(states.selected(1, at: 0)).linear(projection.transposed(), computeType: computeType)
  }

  /// A convolution whose kernels lie side by side is one product: [B, patches, width].
  private func embedded(_ pictures: Tensor, _ computeType: DType) -> Tensor {
    let (batch, side) = (pictures.size(0), pictures.size(2) / patch)
    let cut = pictures.reshaped([batch, 3, side, patch, side, patch]).permuted(0, 2, 4, 1, 3, 5)
    return cut.reshaped([batch, side * side, 3 * patch * patch])
      .linear(patches.reshaped([patches.size(0), 3 * patch * patch]), computeType: computeType)
  }
}
