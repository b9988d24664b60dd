import Pictures
import Testing
import WireFormats

@Suite struct PNGTests {
  @Test(arguments: [(1, 1), (7, 3), (64, 64), (3, 200)])
  func `libpng reads what is written, to the bit`(width: Int, height: Int) throws {
    let rgb = (0..<width * height * 3).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 7) }
    let picture = try Picture(decoding: PNG.file(rgb: rgb, width: width, height: height), pixelLimit: 1 << 20)
    #expect(picture == Picture(width: width, height: height, rgb: rgb))
  }
}
