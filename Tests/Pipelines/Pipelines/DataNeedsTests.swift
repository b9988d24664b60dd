import Configuration
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
    return DataNeeds(
      try PipelineSpecification(file: pipeline, overrides: set.map(ConfigurationOverride.init(parsing:))))
  }

  @Test func `descriptors are found by their own path and by that of their data`() throws {
    for name in ["novels", "small", "other"] {
      try folder.write("name: \(name)\nlicence: public domain\n", to: "\(name).yaml")
    }
    #expect(try needs().descriptors == [folder("novels.yaml"), folder("small.yaml")])
    #expect(try needs().missing == [folder("novels.yaml"), folder("small.yaml")])
    try Files.makeFolder(folder("cache/novels"))
    #expect(try needs().missing == [folder("small.yaml")])
    let set = "tokens.corpus=[\(folder("other.yaml"))]"
    #expect(try needs([set]).missing == [folder("other.yaml"), folder("small.yaml")])
  }

  @Test func `a YAML file without a licence, or one that is not there, is no descriptor`() throws {
    try folder.write("name: novels\n", to: "novels.yaml")
    #expect(try needs().descriptors.isEmpty)
  }
}
