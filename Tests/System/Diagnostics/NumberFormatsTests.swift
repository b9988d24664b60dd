import Diagnostics
import Testing

@Suite struct NumberFormatsTests {
  @Test(arguments: [
    (0.0, "0"), (-0.0, "0"), (1.5, "1.5000"), (-0.4476, "-0.4476"), (0.00005, "0.0001"), (0.000049, "0.000049"),
    (-0.000049, "-0.000049"), (1e-9, "< 0.000001"), (-1e-17, "> -0.000001"), (Double.infinity, "inf"),
  ])
  func `a figure is shown as zero only if it is`(value: Double, text: String) {
    #expect(fourDigits(value) == text)
  }

  @Test func `bytes are written as two hexadecimals each`() {
    #expect(hexadecimal([0x00, 0x0A, 0xF9, 0xFF] as [UInt8]) == "000af9ff" && hexadecimal([UInt8]()) == "")
  }

  @Test func `signs stand before figures alone`() {
    #expect([0.25, -0.25, 0.00002, 1e-9, 0].map(signed) == ["+0.2500", "-0.2500", "+0.000020", "< 0.000001", "0"])
    #expect([0.5, -0.0002, 0].map(percent) == ["50.0 %", "-0.020 %", "0 %"])
    #expect([0, 1, 2].map { counted($0, "item") } == ["0 items", "1 item", "2 items"])
    #expect(grouped(0) == "0" && grouped(-1_234_567) == "-1,234,567" && grouped(999) == "999")
  }
}
