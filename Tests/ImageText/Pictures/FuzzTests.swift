import Files
import TestSupport
import Testing

@testable import Pictures

@Suite(.enabled(if: slowTestsEnabled, "set TEMPNET_SLOW_TESTS=1")) struct FuzzTests {
  /// Small enough that damaged sizes neither fill the memory nor take long.
  private static let limit = 1 << 20

  @Test(arguments: ["jpg", "png", "webp", "gif"]) func `damaged pictures are refused or decoded`(_ ending: String)
    throws
  {
    let names = PictureDecodingTests.decoded.filter { $0.hasSuffix(".\(ending)") }
    try fuzz(try names.map { try Files.read(fixture($0)) }, as: "picture.\(ending)") { path in
      _ = try Picture(decoding: Files.read(path), pixelLimit: Self.limit)
    }
  }
}
