import Diagnostics
import Files
import JSON
import Pairs
import TestSupport
import Testing
import Torch

@testable import Pictures

@Suite struct PictureResizingTests {
  private func source() throws -> Picture {
    Picture(width: 61, height: 47, rgb: try Files.read(fixture("source.rgb")))
  }

  /// Compared with Pillow's antialiased filters (Fixtures/make_pictures.py).
  @Test func `scaling is Pillow's within one level`() throws {
    let source = try source()
    let cases = try #require(try PictureDecodingTests.fixtures()["resized"]?.arrayValue)
    #expect(cases.count == 10)
    for fields in cases {
      let (width, height) = (try #require(fields["width"]?.intValue), try #require(fields["height"]?.intValue))
      let file = try #require(fields["file"]?.stringValue)
      let filter: Picture.Filter = fields["filter"] == "bicubic" ? .bicubic : .bilinear
      let scaled = source.resized(width: width, height: height, filter: filter)
      let expected = try Files.read(fixture("expected/\(file)"))
      #expect(expected.count == scaled.rgb.count)
      #expect(largestDifference(scaled.rgb, expected) <= 1, "\(file)")
    }
  }

  @Test func `a square keeps the whole picture, its middle, or its content in another shape`() throws {
    let source = try source()
    let pad = source.square(32, .pad)
    // 47 of 61 are 25 of 32 rows, below 3 white ones.
    #expect(pad.rgb.prefix(3 * 32 * 3).allSatisfy { $0 == 255 })
    #expect(pad.cropped(x: 0, y: 3, width: 32, height: 25) == source.resized(width: 32, height: 25))
    #expect(pad.rgb.suffix(4 * 32 * 3).allSatisfy { $0 == 255 })
    #expect(
      source.square(32, .crop) == source.resized(width: 41, height: 32).cropped(x: 4, y: 0, width: 32, height: 32))
    #expect(source.square(32, .squash) == source.resized(width: 32, height: 32))
    let thin = Picture(width: 300, height: 1, rgb: [UInt8](repeating: 9, count: 900))
    for fit in PictureFit.allCases { #expect(thin.square(8, fit).rgb.count == 192) }
  }

  @Test func `a tower sees values in its range, channel by channel`() throws {
    let pixels = [UInt8](repeating: 0, count: 12) + [255, 0, 51, 255, 0, 51, 255, 0, 51, 255, 0, 51]
    let seen = PictureTransform(size: 2, mean: [0.5, 0, 0.2], deviation: [0.5, 1, 0.1])(pixels, side: 2)
    #expect(seen.shape == [2, 3, 2, 2])
    let expected: [Float] = [-1, -1, -1, -1, 0, 0, 0, 0, -2, -2, -2, -2, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0]
    #expect(zip(seen.floats, expected).allSatisfy { abs($0 - $1) < 1e-6 })
  }

  @Test func `a drawn part lies in the picture, and depends on its seed alone`() throws {
    for seed in 0..<500 {
      let drawn = PictureAugmentation(drawnFor: 64, area: 0.5...1, seed: UInt64(seed))
      #expect(drawn == PictureAugmentation(drawnFor: 64, area: 0.5...1, seed: UInt64(seed)))
      #expect(drawn.x >= 0 && drawn.y >= 0 && drawn.x + drawn.width <= 64 && drawn.y + drawn.height <= 64)
      #expect(Double(drawn.width * drawn.height) >= 0.47 * 4096)
    }
  }

  @Test func `an augmented picture is its part, mirrored`() throws {
    let source = try source().square(32, .squash)
    let augmentation = PictureAugmentation(x: 3, y: 5, width: 16, height: 16, isMirrored: true)
    let transform = PictureTransform(size: 16, mean: [0, 0, 0], deviation: [1, 1, 1])
    let seen = transform(source.rgb, side: 32, [augmentation])
    let part = source.cropped(x: 3, y: 5, width: 16, height: 16)
    let plain = transform(part.rgb, side: 16)
    #expect(seen.flipped(3).floats == plain.floats)
  }
}
