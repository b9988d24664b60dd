import ImageTextModels
import Pairs
import Pictures
import RandomNumbers
import StageDescriptions
import Torch
import Training

/// Pictures and captions, as encoders of their own read them.
struct PicturePairs: EncoderInputs {
  private let pairs: PairsArtifact
  private let transform: PictureTransform
  private let tokenizer: CaptionTokenizer
  private let augmentation: Augmentation
  private let seed: UInt64
  private let device: Device
  let versions = 1
  let mostAtOnce = 256

  /// - Parameters:
  ///   - transform: of the image encoder.
  ///   - tokenizer: of the text encoder.
  ///   - seed: of the augmentations.
  init(
    _ pairs: PairsArtifact, transform: PictureTransform, tokenizer: CaptionTokenizer, _ augmentation: Augmentation,
    seed: Int, device: Device
  ) {
    (self.pairs, self.transform, self.tokenizer) = (pairs, transform, tokenizer)
    (self.augmentation, self.seed, self.device) = (augmentation, UInt64(seed), device)
  }

  func images(_ pairs: ArraySlice<PairBatch.Pair>, step: Int) -> Tensor {
    pictures(
      pairs.map(\.picture),
      pairs.map { pair in
        PictureAugmentation(
          drawnFor: self.pairs.size, area: augmentation.cropArea...1, mirrored: augmentation.mirrored,
          seed: SplitMix64.mixed(Seeds.derived(seed, .augmentation, index: step) ^ UInt64(pair.picture)))
      })
  }

  func images(at positions: [Int]) -> Tensor { pictures(positions, []) }

  func texts(at positions: [Int]) -> Tensor {
    CaptionTokenizer.padded(positions.map { tokenizer.encode(pairs.table.captions[$0].text) }).to(device)
  }

  private func pictures(_ positions: [Int], _ augmentations: [PictureAugmentation]) -> Tensor {
    transform(pairs.pixels(positions), side: pairs.size, augmentations).to(device)
  }
}
