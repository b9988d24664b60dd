import Diagnostics
import JSON
import Testing

@Suite struct JSONTests {
  private func parse(_ text: String, for reading: JSON.Reading = .strict) throws -> JSON {
    try JSON(parsing: text, source: "test.json", for: reading)
  }

  /// The message of the failure of strict parsing.
  private func failure(_ text: String) throws -> String {
    let failure = try #require(throws: Failure.self) { try parse(text) }
    #expect(failure.status == .badData)
    return failure.description
  }

  @Test func `values of every kind are read`() throws {
    let json = try parse(
      #" {"null": null, "yes": true, "no": false, "i": -12, "x": 1.5e3, "s": "a\nb", "list": [1, [2], {}]} "#)
    #expect(
      json == [
        "null": .null, "yes": true, "no": false, "i": -12, "x": 1500.0, "s": "a\nb", "list": [1, [2], [:]],
      ])
    #expect(json["i"]?.intValue == -12)
    #expect(json["i"]?.doubleValue == -12)
    #expect(json["x"]?.intValue == nil)
    #expect(json["missing"] == nil)
  }

  @Test(arguments: ["0", "-0.0", "null", "true", "\"\"", "[]", "{}", "123", "1e-3"])
  func `a value of any kind may stand alone`(text: String) throws {
    _ = try parse(text)
  }

  @Test func `members keep their order`() throws {
    let object = try #require(try parse(#"{"z": 1, "a": 2, "m": 3}"#).objectValue)
    #expect(Array(object.keys) == ["z", "a", "m"])
  }

  @Test func `a member given twice is refused with the line of the second`() throws {
    #expect(try failure("{\"a\": 1,\n \"b\": 2,\n \"a\": 3}") == "test.json, line 3: 'a' is given twice in one object")
    #expect(try failure("[{\"a\": {}},\n{\"b\": {\"x\": 1, \n\"\\u0078\": 1}}]").contains("line 3: 'x' is given twice"))
  }

  @Test func `the same name in different objects is no duplicate`() throws {
    #expect(try parse(#"{"a": {"a": [{"a": 1}, {"a": 2}]}}"#)["a"]?["a"]?.arrayValue?.count == 2)
  }

  @Test func `names that differ only by Unicode normalisation are different names`() throws {
    let json = try parse("{\"\u{E9}\": 1, \"e\u{301}\": 2}")
    #expect(json.objectValue?.count == 2)
    #expect(json["e\u{301}"] == 2)
    #expect(JSON.string("\u{E9}") != JSON.string("e\u{301}"))
  }

  @Test func `an embedded NUL is kept in a value and refused in a name`() throws {
    #expect(try parse(#"["a\u0000b"]"#) == ["a\0b"])
    #expect(try failure(#"{"a\u0000b": 1}"#).contains("NUL"))
    #expect(try failure("[\"a\0b\"]").contains("control character"))
    #expect(try failure("[1]\0").contains("unexpected character"))
  }

  @Test func `nesting is limited`() throws {
    func nested(_ depth: Int) -> String {
      String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
    }
    _ = try parse(nested(100))
    #expect(try failure(nested(101)).contains("deeper than 100"))
    #expect(try failure(String(repeating: "{\"a\":", count: 100_000)).contains("deeper than 100"))
  }

  @Test func `numbers that do not fit are refused`() throws {
    #expect(try parse("[9223372036854775807, -9223372036854775808]") == [.integer(.max), .integer(.min)])
    #expect(try failure("9223372036854775808").contains("does not fit"))
    #expect(try failure("-9223372036854775809").contains("does not fit"))
    #expect(try failure("18446744073709551615").contains("does not fit"))
    #expect(try failure("1e400").contains("does not fit"))
  }

  @Test(arguments: [
    "NaN", "nan", "Infinity", "-Infinity", "[-NaN]", "inf", "01", "-", "1.", ".5", "+1", "1e", "0x10", "1_0", "-01",
    "1.e3",
  ])
  func `literals outside JSON are refused`(text: String) throws {
    _ = try failure(text)
  }

  @Test(arguments: [
    "", " ", "[1] 2", "{} x", "[1]]", "[1,]", "{\"a\": 1,}", "[,1]", "[1 2]", "{\"a\" 1}", "{\"a\"}", "{a: 1}",
    "{'a': 1}",
    "[1}", "{\"a\": 1]", "[", "{", "\"abc", "/* c */ 1", "// c\n1", "tru", "True", "nulll", "{1: 2}", "{\"a\": : 1}",
    "[1:2]", ":", "\u{FEFF}{}", "[1]\u{0B}", "[\"\t\"]", "[\"\\x\"]", "[\"\\u12\"]", "[\"\\u+123\"]", "[\"\\",
    "[\"\\ud800\"]", "[\"\\udc00\"]", "[\"\\ud800\\u0041\"]", "[\"\\ud800", "{\"a\":}", "{,}", "[\"a\" \"b\"]",
  ])
  func `broken text is refused`(text: String) throws {
    _ = try failure(text)
  }

  @Test func `invalid UTF-8 is refused with its line`() throws {
    for bad: [UInt8] in [[0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xE2, 0x82], [0xF5, 0x80, 0x80, 0x80]] {
      let bytes = Array("[1,\n\"".utf8) + bad + Array("\"]".utf8)
      let failure = #expect(throws: Failure.self) { try JSON(parsing: bytes, source: "x", for: .strict) }
      #expect(failure?.description.hasPrefix("x, line 2: not valid UTF-8") == true)
    }
  }

  @Test func `surrogate pairs and short escapes are decoded`() throws {
    #expect(try parse(#"["\ud83d\ude00", "\"\\\/\b\f\n\r\t", "\u00e9"]"#) == ["😀", "\"\\/\u{8}\u{C}\n\r\t", "\u{E9}"])
  }

  @Test(arguments: [
    0.0, -0.0, 1.0, 0.1, 1.0 / 3, 1e21, 1e16, 123456789.123, .leastNonzeroMagnitude, .leastNormalMagnitude,
    .greatestFiniteMagnitude,
    .pi,
  ])
  func `doubles are written so that they read back exactly`(value: Double) throws {
    for text in [JSON.number(value).canonical, JSON.number(value).pretty] {
      guard case .number(let read) = try parse(text) else { throw Failure(.internal, "not a number: \(text)") }
      #expect(read.bitPattern == value.bitPattern)
    }
  }

  @Test func `numbers without a value in JSON are written as null`() {
    #expect(JSON.array([.number(.nan), .number(.infinity)]).canonical == "[null,null]")
  }

  @Test func `every written form reads back equal`() throws {
    let json: JSON = [
      "z": ["nested": [1, 2.5, .null, true, [:], []]], "controls": "\0\u{1}\u{1F}\u{7F}\"\\\n", "\u{E9}\n": "\u{1F600}",
      "a": .integer(.min),
    ]
    for text in [json.canonical, json.compact, json.pretty] { #expect(try parse(text) == json) }
  }

  @Test func `the canonical form sorts names by their bytes and has no blanks`() throws {
    let json: JSON = ["b": [1, 1.0, -0.0], "a": ["\u{FFFF}": 1, "\u{10000}": 2, "Z": 3], "é": "\u{1}/"]
    #expect(
      json.canonical == "{\"a\":{\"Z\":3,\"\u{FFFF}\":1,\"\u{10000}\":2},\"b\":[1,1.0,-0.0],\"é\":\"\\u0001/\"}")
  }

  @Test func `the pretty form has two blanks per level and ends its last line`() {
    let json: JSON = ["b": [1, []], "a": [:]]
    #expect(json.pretty == "{\n  \"b\": [\n    1,\n    []\n  ],\n  \"a\": {}\n}\n")
    #expect(json.compact == "{\"b\":[1,[]],\"a\":{}}")
  }

  @Test func `the order of members does not matter to equality but their values do`() {
    #expect(["a": 1, "b": 2] as JSON == ["b": 2, "a": 1])
    #expect(["a": 1] as JSON != ["a": 1.0])
    #expect(["a": 1] as JSON != ["a": 1, "b": .null])
  }

  @Test func `members can be changed in place`() {
    var json: JSON = ["a": 1]
    json["b"] = 2
    json["a"] = nil
    #expect(json == ["b": 2])
  }

  @Test func `a vocabulary of a quarter of a million entries is read in seconds`() throws {
    var vocabulary = JSONObject()
    for index in 0..<250_000 { vocabulary["\u{120}token\(index)"] = .integer(index) }
    let merges = (0..<250_000).map { JSON.string("\u{120}tok en\($0)") }
    let text = (["model": ["vocab": .object(vocabulary), "merges": .array(merges)]] as JSON).pretty
    var json = JSON.null
    let time = try ContinuousClock().measure { json = try parse(text) }
    #expect(json["model"]?["vocab"]?["\u{120}token249999"] == 249_999)
    #expect(time < .seconds(20), "\(text.utf8.count) bytes took \(time)")
  }

  @Test func `lines are counted from where the text stands in its file`() {
    #expect { try JSON(parsing: "{\n\"a\": 01}", source: "x.jsonl", line: 7, for: .strict) } throws: {
      ($0 as? Failure)?.place == "x.jsonl, line 8"
    }
  }
}
