import Files
import JSON
import TestSupport
import Testing

/// Damaged files of every kind that this target reads.
@Suite(.serialized, .enabled(if: slowTestsEnabled)) struct FuzzTests {
  private static let texts = [
    #"{"a": [1, -2.5e3, true, null, "é\n\ud83d\ude00"], "b": {"c": {}, "d": [[[]]]}, "": 18014398509481984}"#,
    "[0, 1e-7, \"\", {\"x\": \"\\u0041\\\\\"}, [], {}]", "\"text\"", "-12",
  ]

  @Test func `texts in JSON`() throws {
    try fuzz(Self.texts.map { Array($0.utf8) }, as: "text.json") { path in
      let bytes = try Files.read(path)
      let foreign = try JSON(parsing: bytes, source: path)
      let json = try JSON(parsing: bytes, source: path, for: .strict)
      if foreign != json { throw Unequal() }
      // An accepted text is written and read back equal.
      for form in [json.canonical, json.compact, json.pretty] {
        if try JSON(parsing: form, source: path, for: .strict) != json { throw Unequal() }
      }
    }
  }

  private struct Unequal: Error {}
}
