import RandomNumbers
import TestSupport
import Testing

@testable import Files
@testable import JSON

@Suite struct EncodingGuessTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let language: String
    let iconv: String
    let text: String
    let bytes: [UInt8]
    var testDescription: String { "\(language) in \(iconv)" }
  }

  /// The samples of `Fixtures/make_encodings.py`.
  static let cases: [Case] = {
    let path = "\(Files.folder(of: #filePath))/Fixtures/encodings.json"
    let json = try! JSON(parsing: Files.read(path), source: path)
    return json["cases"]!.arrayValue!.map { json in
      let digits = Array(json["bytes"]!.stringValue!.utf8)
      let bytes = stride(from: 0, to: digits.count, by: 2).map { index in
        UInt8(String(decoding: digits[index..<index + 2], as: UTF8.self), radix: 16)!
      }
      return Case(
        language: json["language"]!.stringValue!, iconv: json["iconv"]!.stringValue!, text: json["text"]!.stringValue!,
        bytes: bytes)
    }
  }()

  @Test(arguments: cases) func `names an encoding in which iconv gives the text`(sample: Case) throws {
    let guess = try #require(EncodingGuess(beginning: sample.bytes, sample: sample.bytes))
    if sample.iconv.hasPrefix("UTF") { #expect(guess.iconvName == sample.iconv) }
    let text = Iconv.decode(sample.bytes, from: guess.iconvName)
    // iconv removes a byte order mark at the beginning.
    #expect(text.map { String(String.UnicodeScalarView($0)) } == sample.text)
  }

  @Test func `names no encoding for bytes that are not text`() {
    var random = SplitMix64(seed: 3)
    let noise = (0..<4000).map { _ in UInt8.random(in: 0...255, using: &random) }
    #expect(EncodingGuess(beginning: noise, sample: noise) == nil)
    let zeros = [UInt8](repeating: 0, count: 1000)
    #expect(EncodingGuess(beginning: zeros, sample: []) == nil)
    #expect(EncodingGuess(beginning: [], sample: []) == nil)
  }

  @Test(arguments: ["à la carte", "a naïve façade", "“So,” she said", "El Niño", "café"])
  func `a few letters count as the most common encoding of editors`(text: String) throws {
    let bytes = text.unicodeScalars.map { scalar in
      scalar == "“" ? 0x93 : scalar == "”" ? 0x94 : UInt8(scalar.value)
    }
    #expect(EncodingGuess(beginning: bytes, sample: bytes)?.iconvName == "WINDOWS-1252")
  }

  @Test func `gives the command that converts`() {
    let guess = EncodingGuess(beginning: [0xFF, 0xFE, 0x41, 0], sample: [])
    #expect(guess?.advice == "it is probably UTF-16, which iconv -f UTF-16 -t UTF-8 converts")
  }
}
