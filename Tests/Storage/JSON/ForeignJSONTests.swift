import Diagnostics
import JSON
import Testing

/// Files of other programs are checked only where they are read.
@Suite struct ForeignJSONTests {
  private func parse(_ text: String) throws -> JSON { try JSON(parsing: text, source: "test.json") }

  private func failure(_ text: String) throws -> String {
    try #require(throws: Failure.self) { try parse(text) }.description
  }

  @Test(arguments: [
    "1000000000000000019884624838656", "17635417282734812345", "-9223372036854775809", "1e999", "-1e999", "NaN",
    "Infinity", "-Infinity",
  ])
  func `a number that does not fit is no error unless it is read`(literal: String) throws {
    let json = try parse(#"{"before": 1, "number": \#(literal), "list": [\#(literal), "after"]}"#)
    #expect(json["before"] == 1)
    #expect(json["list"]?.arrayValue?.last == "after")
    let number = try #require(json["number"])
    #expect(number == .unusable(.number(literal)))
    #expect(number.intValue == nil)
    #expect(number.stringValue == nil)
    #expect(number.kindName.contains(literal))
  }

  @Test func `an integer beyond 64 bits can be read as a double, and one beyond a double cannot`() throws {
    #expect(try parse("1000000000000000019884624838656").doubleValue == 1e30)
    #expect(try parse("1e999").doubleValue == nil)
    #expect(try parse("NaN").doubleValue == nil)
  }

  @Test func `reading a number that does not fit is an error with its name`() throws {
    var fields = try JSONFields(try parse(#"{"layers": 18446744073709551616}"#), source: "config.json")
    #expect { try fields.integer("layers") } throws: {
      "\($0)" == "config.json: layers must be an integer, found 18446744073709551616, which does not fit in 64 bits"
    }
  }

  @Test(arguments: ["nan", "inf", "-NaN", "+1", "Nan", "Infinit", "NaNs", "0x10", "01", "1."])
  func `refuses literals that no program writes for numbers`(literal: String) throws {
    _ = try failure("[\(literal)]")
  }

  @Test func `a duplicate member has no value, and other members are read`() throws {
    let json = try parse(
      #"{"a": {"x": 1}, "b": 2, "\u0061": [{"y": 3}], "c": {"d": 4, "e": 5, "d": 6}, "f": {"d": 7}}"#)
    #expect(json["a"] == .unusable(.repeated))
    #expect(json["b"] == 2)
    #expect(json["c"]?["d"] == .unusable(.repeated))
    #expect(json["c"]?["e"] == 5)
    #expect(json["f"]?["d"] == 7)
    #expect(json.objectValue.map { Array($0.keys) } == ["a", "b", "c", "f"])
  }

  @Test func `a string with a lone surrogate is not text, and offers its form with U+FFFD`() throws {
    let json = try parse(
      #"{"bad": ["a\ud83dx", "\u0001S\udc00", "\ud83d\ud83d\ude00\ud800"], "good": "\ud83d\ude00 \\ud83d"}"#)
    let expected = [(1, "a\u{FFFD}x"), (1, "\u{1}S\u{FFFD}"), (2, "\u{FFFD}😀\u{FFFD}")]
    #expect(json["bad"] == .array(expected.map { .unusable(.loneSurrogates(count: $0, replaced: $1)) }))
    #expect(json["bad"]?.arrayValue?.allSatisfy { $0.stringValue == nil } == true)
    #expect(json["good"] == "😀 \\ud83d")
    #expect(try parse(#"{"\ud83d": 1, "a": 2}"#)["a"] == 2)
    #expect(try parse(#"{"\ud83d": 1}"#)["\u{FFFD}"]?.intValue == nil)
  }

  /// json-c 0.16 replaces characters whose lower 16 bits are D800 to DFFF.
  @Test func `every character beyond the first plane is read from its escaped pair`() throws {
    for plane in UInt32(1)...16 {
      let scalars = (plane << 16..<(plane + 1) << 16).map { Unicode.Scalar($0)! }
      var escaped = "\""
      for scalar in scalars {
        for unit in String(scalar).utf16 { escaped += "\\u" + String(unit, radix: 16) }
      }
      var text = String.UnicodeScalarView()
      text.append(contentsOf: scalars)
      for reading: JSON.Reading in [.strict, .lenient] {
        let read = try JSON(parsing: escaped + "\"", source: "x", for: reading).stringValue
        #expect(read?.utf8.elementsEqual(String(text).utf8) == true, "plane \(plane)")
      }
    }
    #expect(try parse(#"{"\ud836\udc7e": "\uD876\uDC00"}"#) == ["\u{1D87E}": "\u{2D800}"])
  }

  /// The mark of unusable values inside json-c has no meaning in a text.
  @Test func `strings that begin with U+0001 are unchanged`() throws {
    let json = try parse(
      #"{"\u0001": "\u0001", "\u0001N1": "\u0001N1e999", "a": ["\u0001S", "\u0001\u0001M0", 1e999], "\u0001M0": 1}"#)
    #expect(
      json == [
        "\u{1}": "\u{1}", "\u{1}N1": "\u{1}N1e999",
        "a": ["\u{1}S", "\u{1}\u{1}M0", .unusable(.number("1e999"))], "\u{1}M0": 1,
      ])
    #expect(try parse(#"{"\u0001M0": 1, "\u0001M0": 2}"#) == ["\u{1}M0": .unusable(.repeated)])
    #expect(try JSON(parsing: #"["\u0001N1"]"#, source: "x", for: .strict) == ["\u{1}N1"])
  }

  @Test func `a name with NUL is kept whole`() throws {
    let json = try parse(#"{"a\u0000b": 1, "a": 2, "c": {"d\u0000": 3, "d\u0000": 4}}"#)
    #expect(json["a\0b"] == 1 && json["a"] == 2)
    #expect(json["c"]?["d\0"] == .unusable(.repeated))
  }

  @Test(arguments: ["{NaN: 1}", "{99999999999999999999: 2}", #"{"a": 1, 1e999: 2}"#, #"{"a" 1e999: 2}"#])
  func `a number is not a name`(text: String) throws {
    _ = try failure(text)
  }

  @Test func `failures name the line of the text`() throws {
    #expect(try failure("[1e999,\n\"\\ud836\\udc7e\",\n\"\\ud800\",\n}").contains("line 4"))
  }

  @Test func `a byte order mark is skipped, and other encodings are named with a remedy`() throws {
    #expect(try parse("\u{FEFF}{\"a\": 1}")["a"] == 1)
    let text = #"{"a": 1}"#
    let little = Array(text.utf8.map { [$0, 0] }.joined())
    let big = Array(text.utf8.map { [0, $0] }.joined())
    let wide: [UInt8] = [0xFF, 0xFE, 0, 0] + text.utf8.map { [$0, 0, 0, 0] }.joined()
    let cases: [(bytes: [UInt8], name: String)] = [
      ([0xFF, 0xFE] + little, "UTF-16"), (little, "UTF-16LE"), ([0xFE, 0xFF] + big, "UTF-16"), (big, "UTF-16BE"),
      (wide, "UTF-32"),
      (Array("{\"a\": \"déjà vu, très déçu\"}".unicodeScalars.map { UInt8($0.value) }), "WINDOWS-1252"),
    ]
    for (bytes, name) in cases {
      #expect { try JSON(parsing: bytes, source: "x") } throws: { "\($0)".contains("iconv -f \(name) -t UTF-8") }
    }
  }

  @Test func `a number that does not fit is written as it was read`() throws {
    #expect(try parse("[1e999,18446744073709551615,NaN]").compact == "[1e999,18446744073709551615,null]")
  }
}
