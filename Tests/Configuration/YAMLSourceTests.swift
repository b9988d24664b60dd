import Configuration
import Diagnostics
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

  @Test func `a key that stands twice is refused with both lines, however it is quoted`() {
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

  @Test func `a missing file is a missing input`() {
    #expect { try YAMLSource.read(file: "/") } throws: {
      ($0 as? Failure) == Failure(.missingInput, "is a folder, and a file is needed", at: "/")
    }
    #expect { try YAMLSource.read(file: "/nonexistent/a.yaml") } throws: { ($0 as? Failure)?.status == .missingInput }
  }
}
