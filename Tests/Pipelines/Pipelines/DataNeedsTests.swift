import Configuration
import Diagnostics
import Files
import Pipelines
import TestSupport
import Testing

@Suite struct DataNeedsTests {
  private let folder = try! TemporaryFolder()

  private func needs(_ set: [String] = []) throws -> DataNeeds {
    let pipeline = try folder.write(
      """
      pipeline: p
      stages:
        tokens: {run: tokenize, with: {corpus: ["\(folder("novels.yaml"))", "\(folder("own.txt"))"]}}
        features:
          run: features
          from: {tokens: tokens, model: "\(folder("cache/small/model.gguf"))"}
      """, to: "p.yaml")
    return try DataNeeds(
      try PipelineSpecification(file: pipeline, overrides: set.map(ConfigurationOverride.init(parsing:))))
  }

  private func writeDescriptor(_ name: String, licence: String = "licence: public domain") throws {
    try folder.write(
      """
      name: \(name)
      title: Some data
      \(licence)
      origin: nowhere
      files:
        - {file: a.txt, bytes: 0, sha256: \(String(repeating: "0", count: 64))}
      """, to: "\(name).yaml")
  }

  @Test func `descriptors are found by their own path and by that of their data`() throws {
    for name in ["novels", "small", "other"] {
      try writeDescriptor(name)
    }
    #expect(try needs().descriptors == [folder("novels.yaml"), folder("small.yaml")])
    #expect(try needs().missing == [folder("novels.yaml"), folder("small.yaml")])
    try Files.makeFolder(folder("cache/novels"))
    #expect(try needs().missing == [folder("small.yaml")])
    let set = "tokens.corpus=[\(folder("other.yaml"))]"
    #expect(try needs([set]).missing == [folder("other.yaml"), folder("small.yaml")])
  }

  @Test func `a YAML file without a licence, or one that is not there, is no descriptor`() throws {
    try writeDescriptor("novels", licence: "")
    #expect(try needs().descriptors.isEmpty)
  }

  @Test func `a descriptor with a fault is refused with its line`() throws {
    try writeDescriptor("novels", licence: "licence: public domain\nlicense: MIT")
    #expect { try needs() } throws: {
      ($0 as? Failure)?.status == .badConfiguration && "\($0)".contains("novels.yaml, line 4")
    }
  }
}
