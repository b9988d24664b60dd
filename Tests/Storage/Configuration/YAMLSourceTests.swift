import Configuration
import Diagnostics
import Files
import JSON
import TestSupport
import Testing

@Suite struct YAMLSourceTests {
  private func failure(_ text: String) -> String? {
    do {
      _ = try YAMLSource.parse(text, source: "a.yaml")
      return nil
    } catch {
      return "\(error)"
    }
  }

  @Test func `every value knows its line`() throws {
    let entries = try #require(try YAMLSource.parse("a: 1\n\nb:\n  - x\n  - y\n", source: "a.yaml").mapping)
    #expect(entries.map { "\($0.key) \($0.place)" } == ["a a.yaml, line 1", "b a.yaml, line 3"])
    #expect(entries[1].value.sequence?.map { "\($0.place)" } == ["a.yaml, line 4", "a.yaml, line 5"])
  }

  @Test(arguments: ["", "# only a comment\n", "{}"])
  func `an empty document is an empty mapping`(_ text: String) throws {
    #expect(try YAMLSource.parse(text, source: "a.yaml").mapping?.isEmpty == true)
  }

  @Test func `scalars follow the core schema of YAML 1_2`() throws {
    func scalar(_ text: String) throws -> YAMLScalar {
      try #require(try YAMLSource.parse("k: \(text)", source: "a").mapping?.first?.value.scalar)
    }
    #expect(try scalar("no").boolean == nil)
    #expect(try scalar("true").boolean == true)
    #expect(try scalar("\"true\"").boolean == nil)
    #expect(try scalar("~").isNull && scalar("").isNull && !scalar("''").isNull)
    #expect(
      try [scalar("12"), scalar("-3"), scalar("0x1f"), scalar("0o17"), scalar("2e3")].map(\.integer) == [
        12, -3, 31, 15, 2000,
      ])
    #expect(
      try [scalar("1_000"), scalar("1.5"), scalar("1e400"), scalar("'7'"), scalar("0x")].map(\.integer) == [
        nil, nil, nil, nil, nil,
      ])
    #expect(try [scalar("1e-3"), scalar(".5"), scalar("3")].map(\.number) == [1e-3, 0.5, 3])
    #expect(
      try [scalar(".nan"), scalar(".inf"), scalar("0x1p3"), scalar("nan")].map(\.number) == [nil, nil, nil, nil])
  }

  @Test func `a duplicate key is refused with both lines, however it is quoted`() {
    let cases = [
      ("a: 1\nb: 2\na: 3\n", 3, 1), ("a: 1\n\"a\": 3\n", 2, 1), ("'a': 1\na: 3\na: 4\n", 2, 1),
      ("b: {a: 1,\n  c: 2,\n  a: 3}\n", 3, 1), ("- a: 1\n- a: 1\n  b: é\n  a: 2\n", 4, 2),
      ("# ü\r\nb: |\r\n  a: 1\r\na: 1\r\n\r\na: 2\r\n", 6, 4), ("b: {a: 1}\na: 1\nc:\n  a: 1\na: 1\n", 5, 2),
    ]
    for (text, second, first) in cases {
      #expect(
        failure(text) == "a.yaml, line \(second): the key 'a' stands twice in one mapping, first in line \(first)")
    }
  }

  @Test func `bad syntax names the line`() {
    #expect(failure("a: 1\nb: [1, 2\n")?.hasPrefix("a.yaml, line 3: ") == true)
    #expect(failure("a: *missing\n")?.hasPrefix("a.yaml, line 1: found undefined alias") == true)
    #expect(
      failure("a: 1\n---\nb: 2\n")
        == "a.yaml, line 2: expected a single document in the stream, but found another document")
    #expect(
      failure("a: [1\nb: 2\n") == "a.yaml, line 2: while parsing a flow sequence, did not find expected ',' or ']'")
    #expect(failure("? [1, 2]\n: 3\n") == "a.yaml, line 1: a key must be a word, not a list or mapping")
    #expect(failure("a: !!binary xyz\n") == "a.yaml, line 1: the tag tag:yaml.org,2002:binary is not supported")
    #expect(failure(String(repeating: "[", count: 5000)) != nil)
  }

  @Test func `aliases work but cannot make a document explode`() throws {
    let shared = try YAMLSource.parse("a: &x {k: 1}\nb: *x\n", source: "a.yaml")
    #expect(shared.mapping?[1].value.mapping?.first?.value.scalar?.integer == 1)

    let levels = (1...8).map { "l\($0): &l\($0) [\(Array(repeating: "*l\($0 - 1)", count: 4).joined(separator: ","))]" }
    let bomb = "l0: &l0 [1, 1, 1, 1]\n" + levels.joined(separator: "\n")
    #expect(failure(bomb) == "a.yaml, line 1: more than 100000 values when aliases are followed")
    #expect(failure(bomb + "\nz: *l8") == "a.yaml: more than 32 aliases")
  }

  /// Values as PyYAML 6 loads them (`yaml.safe_load`).
  @Test func `merge keys add the keys of other mappings, and the mapping's own take precedence`() throws {
    func json(_ text: String) throws -> JSON { try YAMLSource.parse(text, source: "a.yaml").json }
    let base = "base: &base {a: 1, b: 2}\nmore: &more {b: 3, c: {d: 4}}\n"
    #expect(try json(base + "x: {<<: *base, b: 5}")["x"] == ["a": 1, "b": 5])
    #expect(try json(base + "x:\n  b: 5\n  <<: *base\n")["x"] == ["a": 1, "b": 5])
    #expect(try json(base + "x: {<<: [*base, *more]}")["x"] == ["a": 1, "b": 2, "c": ["d": 4]])
    #expect(try json(base + "x: {<<: [*more, *base], e: 6}")["x"] == ["a": 1, "b": 3, "c": ["d": 4], "e": 6])
    #expect(try json(base + "y: &y {<<: *base, b: 7}\nx: {<<: *y}")["x"] == ["a": 1, "b": 7])
    #expect(try json("x: {<<: {a: 1}, b: 2}")["x"] == ["a": 1, "b": 2])
    #expect(try json(base + "<<: *more\nb: 9")["b"] == 9)
    // A merged mapping is replaced as a whole, not joined.
    #expect(try json(base + "x: {<<: *more, c: {e: 1}}")["x"]?["c"] == ["e": 1])
    #expect(try json("x: {'<<': 1}")["x"] == ["<<": 1])
    #expect(try json("x: {<<: [], a: 1}")["x"] == ["a": 1])
  }

  @Test func `merged keys know where they were written`() throws {
    let text = "base: &base\n  a: 1\nx:\n  <<: *base\n  b: 2\n"
    let entries = try #require(try YAMLSource.parse(text, source: "a.yaml")["x"]?.mapping)
    #expect(entries.map { "\($0.key) \($0.place)" } == ["a a.yaml, line 2", "b a.yaml, line 5"])
  }

  @Test func `refuses values that cannot be merged`() {
    let advice = "the merge key '<<' takes a mapping, as in '<<: *defaults', or a list of mappings, not "
    #expect(failure("a: &a 3\nx:\n  <<: *a\n") == "a.yaml, line 3: \(advice)'3'")
    #expect(failure("x: {<<: [{a: 1}, 2]}") == "a.yaml, line 1: \(advice)a list of 2")
    #expect(failure("x: {<<: }") == "a.yaml, line 1: \(advice)nothing")
    #expect(
      failure("a: &a {b: 1}\nx:\n  <<: *a\n  <<: *a\n")?.hasSuffix("; a list merges several: '<<: [*a, *b]'") == true)
    let levels = (1...10).map {
      "l\($0): &l\($0) {<<: *l\($0 - 1), k\($0): [*l\($0 - 1), *l\($0 - 1)]}"
    }
    #expect(
      failure("l0: &l0 {a: 1}\n" + levels.joined(separator: "\n"))?
        .hasSuffix("more than 100000 values when aliases are followed") == true)
  }

  @Test(arguments: [("a:\n\tb: 1\n", 2), ("a: 1\nb:\n  c: 2\n\td: 3\n", 4), ("a: x\n\tb: y\n", 2), ("\ta: 1\n", 1)])
  func `a tab in the indentation is named`(_ text: String, _ line: Int) {
    #expect(
      failure(text)
        == "a.yaml, line \(line): a tab in the indentation, where YAML takes spaces only; 'expand -t 2' makes spaces of tabs"
    )
  }

  @Test func `tabs elsewhere are accepted`() throws {
    #expect(try YAMLSource.parse("a:\t1\t# one\nb: |\n  x\ty\n", source: "a").json == ["a": 1, "b": "x\ty\n"])
  }

  @Test func `the error of a value that begins with a YAML indicator asks for quotes`() {
    let advice = "; a text that begins with a sign such as * or @ needs quotation marks"
    for text in ["a: *x", "a: *.txt", "a: @home", "a: `b`"] {
      #expect(failure(text)?.hasSuffix(advice) == true, "\(text)")
    }
    #expect(failure("a: 1\nb: \u{7}\n") == "a.yaml, line 2: control characters are not allowed: U+0007")
  }

  @Test func `names the encoding of a file that is not UTF-8, and the command that converts it`() throws {
    let folder = try TemporaryFolder()
    func failure(_ bytes: [UInt8]) throws -> String? {
      try AtomicFile.write(bytes, to: "\(folder.path)/a.yaml")
      do {
        _ = try YAMLSource.read(file: "\(folder.path)/a.yaml")
        return nil
      } catch {
        return "\(error)".replacing("\(folder.path)/", with: "")
      }
    }
    func wide(_ name: String) -> String {
      let iconvName = name.replacing(" ", with: "")
      return "a.yaml: not UTF-8; it is probably \(name), which iconv -f \(iconvName) -t UTF-8 converts"
    }
    let text = Array("a: é\n".utf16)
    let little = text.flatMap { [UInt8($0 & 255), UInt8($0 >> 8)] }
    let big = text.flatMap { [UInt8($0 >> 8), UInt8($0 & 255)] }
    #expect(try failure([0xFF, 0xFE] + little) == wide("UTF-16") && failure([0xFE, 0xFF] + big) == wide("UTF-16"))
    #expect(try failure(little) == wide("UTF-16 LE") && failure(big) == wide("UTF-16 BE"))
    #expect(try failure([0xFF, 0xFE, 0, 0] + Array("a\0\0\0".utf8)) == wide("UTF-32"))
    #expect(try failure(Array("a\0\0\0:\0\0\0".utf8)) == wide("UTF-32 LE"))
    // "# Набор текстов для обучения" in the encoding of Windows.
    let russian: [UInt8] = [
      0xCD, 0xE0, 0xE1, 0xEE, 0xF0, 0x20, 0xF2, 0xE5, 0xEA, 0xF1, 0xF2, 0xEE, 0xE2, 0x20, 0xE4, 0xEB, 0xFF, 0x20, 0xEE,
      0xE1, 0xF3, 0xF7, 0xE5, 0xED, 0xE8, 0xFF, 0x0A,
    ]
    #expect(
      try failure(Array("a: 1\n# ".utf8) + russian)
        == "a.yaml, line 2: not valid UTF-8 (byte 0xCD); it is probably WINDOWS-1251, "
        + "which iconv -f WINDOWS-1251 -t UTF-8 converts")
    // Bytes of no encoding.
    #expect(
      try failure(Array("a: 1\nb: ".utf8) + (0x80...0xFF).reversed())
        == "a.yaml, line 2: not valid UTF-8 (byte 0xFF); save the file as UTF-8")
    // The byte order mark and line ends of editors on Windows are accepted.
    try AtomicFile.write([0xEF, 0xBB, 0xBF] + Array("a: 1\r\nb:\r\n  - 2\r\n".utf8), to: "\(folder.path)/a.yaml")
    #expect(try YAMLSource.read(file: "\(folder.path)/a.yaml").json == ["a": 1, "b": [2]])
  }

  @Test func `a missing file is a missing input`() {
    #expect { try YAMLSource.read(file: "/") } throws: {
      ($0 as? Failure) == Failure(.missingInput, "is a folder; a file is needed", at: "/")
    }
    #expect { try YAMLSource.read(file: "/nonexistent/a.yaml") } throws: { ($0 as? Failure)?.status == .missingInput }
  }
}
