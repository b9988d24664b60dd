import Diagnostics
import Files
import JSON
import TestSupport
import Testing

@testable import Pictures

/// Compared with what Pillow decodes and composites (Fixtures/make_pictures.py).
@Suite struct PictureDecodingTests {
  private static let limit = 1 << 26
  static let decoded = names("decoded")
  static let refused = names("refused")

  static func fixtures() throws -> JSON {
    try JSON(parsing: Files.read(fixture("fixtures.json")), source: "fixtures.json")
  }

  private static func names(_ member: String) -> [String] {
    ((try? fixtures())?[member]?.objectValue).map { Array($0.keys) } ?? []
  }

  @Test func `there are fixtures`() { #expect(Self.decoded.count == 39 && Self.refused.count == 12) }

  @Test(arguments: decoded) func `a picture is Pillow's on white, within one level`(_ name: String) throws {
    let size = try #require(try Self.fixtures()["decoded"]?[name])
    let picture = try Picture(decoding: Files.read(fixture(name)), pixelLimit: Self.limit)
    #expect((picture.width, picture.height) == (size["width"]?.intValue, size["height"]?.intValue))
    let expected = try Files.read(fixture("expected/\(name).rgb"))
    #expect(expected.count == picture.rgb.count)
    #expect(largestDifference(picture.rgb, expected) <= 1)
  }

  @Test(arguments: refused) func `a damaged file is refused with the reason`(_ name: String) throws {
    let reason = try #require(try Self.fixtures()["refused"]?[name]?.stringValue)
    let failure = try #require(throws: Failure.self) {
      try Picture(decoding: Files.read(fixture(name)), pixelLimit: Self.limit)
    }
    #expect(failure.status == .badData)
    #expect(failure.message.contains(reason), "\(failure.message)")
  }

  @Test func `the size is checked before decoding`() throws {
    let failure = #expect(throws: Failure.self) {
      try Picture(decoding: Files.read(fixture("rgba.png")), pixelLimit: 29 * 18 - 1)
    }
    #expect(failure?.message == "has 29 x 18 pixels, more than the 521 that are accepted")
    #expect(try Picture(decoding: Files.read(fixture("rgba.png")), pixelLimit: 29 * 18).width == 29)
  }

  /// libpng would allocate and fill two rows of 512 MiB.
  @Test func `a picture of one endless row is refused before its row takes memory`() throws {
    var wide = try Files.read(fixture("rgba.png"))
    wide.replaceSubrange(16..<24, with: [8, 0, 0, 0, 0, 0, 0, 1])
    let before = memory("VmRSS")
    resetPeak()
    let failure = #expect(throws: Failure.self) { try Picture(decoding: resealedPNG(wide), pixelLimit: Self.limit) }
    #expect(failure?.message == "has 134217728 x 1 pixels, more than the 67108864 that are accepted")
    #expect(memory("VmHWM") - before < 64 << 20)
  }

  @Test(arguments: ["plain.jpg", "rgba.png", "alpha.webp", "plain.gif"])
  func `every beginning of a file is refused or, without its end mark, whole`(_ name: String) throws {
    let whole = try Files.read(fixture(name))
    let expected = try Files.read(fixture("expected/\(name).rgb"))
    try truncations(of: whole, as: name) { path in
      try largestDifference(Picture(decoding: Files.read(path), pixelLimit: Self.limit).rgb, expected) <= 1
    }
  }
}

func largestDifference(_ a: [UInt8], _ b: [UInt8]) -> Int { zip(a, b).map { abs(Int($0) - Int($1)) }.max() ?? 0 }
