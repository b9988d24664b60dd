import Diagnostics
import Files
import TestSupport
import Testing

@testable import Pictures

@Suite(.serialized, .enabled(if: slowTestsEnabled, "set TEMPNET_SLOW_TESTS=1")) struct FuzzTests {
  /// Small enough that damaged sizes neither fill the memory nor take long.
  private static let limit = 1 << 20

  private static func samples(_ ending: String) throws -> [[UInt8]] {
    try PictureDecodingTests.decoded.filter { $0.hasSuffix(".\(ending)") }.sorted().map { try Files.read(fixture($0)) }
  }

  private static func decode(_ bytes: [UInt8]) throws -> Picture { try Picture(decoding: bytes, pixelLimit: limit) }

  @Test(arguments: ["jpg", "png", "webp", "gif"]) func `damaged pictures are refused or decoded`(_ ending: String)
    throws
  {
    try fuzz(Self.samples(ending), as: "picture.\(ending)") { _ = try Self.decode(Files.read($0)) }
  }

  @Test func `damaged PNG files with right checksums are refused or decoded`() throws {
    try fuzz(Self.samples("png"), as: "resealed.png") { _ = try Self.decode(resealedPNG(Files.read($0))) }
  }

  /// EXIF data as a camera writes them: the orientation among other entries, in either order of bytes.
  private static let exif: [[UInt8]] = [
    Array("Exif\0\0II*\0".utf8) + [8, 0, 0, 0, 2, 0, 0x12, 1, 3, 0, 1, 0, 0, 0, 6, 0, 0, 0]
      + [0x0F, 1, 2, 0, 6, 0, 0, 0, 38, 0, 0, 0] + [0, 0, 0, 0] + Array("Canon\0".utf8),
    Array("Exif\0\0MM\0*".utf8) + [0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, 8, 0, 0] + [0, 0, 0, 0],
  ]

  @Test func `damaged EXIF data turn a picture or leave it as it is`() throws {
    let plain = try Files.read(fixture("plain.jpg"))
    let upright = try Self.decode(plain)
    try fuzz(Self.exif, as: "picture.exif") { path in
      let exif = try Files.read(path).prefix(60_000)
      let length = exif.count + 2
      let segment: [UInt8] = [0xFF, 0xE1, UInt8(length >> 8), UInt8(length & 0xFF)] + exif
      let picture = try Self.decode(plain.prefix(2) + segment + plain.dropFirst(2))
      if picture.rgb.count != upright.rgb.count { throw OtherPicture() }
      // Not a refusal by the decoder: it tells damage that was noticed.
      if picture.width == upright.width { throw Failure(.badData, "is not on its side") }
    }
  }

  private struct OtherPicture: Error {}
}
