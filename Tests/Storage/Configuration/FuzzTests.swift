import Configuration
import TestSupport
import Testing

@Suite(.enabled(if: slowTestsEnabled)) struct FuzzTests {
  private static let samples = [
    """
    # a comment
    corpus: [a.txt, "b \\u00e9.txt"]
    model: {layers: 2, width: 0x20, rates: [1e-3, .5, -7], tied: true}
    text: |
      one
        two
    folded: >-
      three
      four
    shared: &x {k: 1, l: [~, null, '']}
    again: *x
    ? key
    : value

    """,
    "- 1\n- [2, {a: b}]\n-\n  - 3\n", "plain", "",
  ]

  @Test func `texts in YAML`() throws {
    try fuzz(Self.samples.map { Array($0.utf8) }, as: "file.yaml") { path in
      let node = try YAMLSource.read(file: path)
      // An accepted text can be written and read back equal.
      let json = node.json
      if try YAMLSource.parse(node.document, source: path).json != json { throw Unequal() }
    }
  }

  private struct Unequal: Error {}
}
