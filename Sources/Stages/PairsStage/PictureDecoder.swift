import Diagnostics
import Files
import Pairs
import Pictures

/// A sample with its picture's pixels, or the reason why it cannot be used.
enum DecodedSample: Sendable {
  case picture(PairSample, pixels: [UInt8])
  case leftOut(PairsArtifact.LeftOut)
}

/// Makes squares of samples' pictures.
struct PictureDecoder: Sendable {
  let size: Int
  let fit: PictureFit
  let pixelLimit: Int

  /// - Throws: failures that are not the sample's fault, such as too little memory or a file that cannot be read.
  func decode(_ item: PairItem) throws -> DecodedSample {
    switch item {
    case .leftOut(let sample): return .leftOut(sample)
    case .sample(let sample):
      guard !sample.description.captions.isEmpty else { return leftOut(sample, "has no caption") }
      do {
        let picture = try Picture(decoding: content(sample), pixelLimit: pixelLimit)
        return .picture(sample, pixels: picture.square(size, fit).rgb)
      } catch let failure as Failure where [.badData, .missingInput].contains(failure.status) {
        return leftOut(sample, "the picture \(failure.message)")
      }
    }
  }

  private func content(_ sample: PairSample) throws -> [UInt8] {
    switch sample.content {
    case .bytes(let bytes): return bytes
    case .file(let path):
      guard let status = try Files.status(path) else { throw Failure(.missingInput, "is not there") }
      guard status.isRegular else { throw Failure(.badData, "is no regular file") }
      return try Files.read(path, limit: PictureDecoder.fileLimit)
    }
  }

  /// The largest file of a picture, in bytes.
  private static let fileLimit = 1 << 27

  private func leftOut(_ sample: PairSample, _ reason: String) -> DecodedSample {
    .leftOut(PairsArtifact.LeftOut(source: sample.source, member: sample.member, reason: reason))
  }
}
