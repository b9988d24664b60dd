import Files
import JSON
import LanguageModels
import ModelDescriptions
import ModelFiles
import TestSupport
import Testing

@Suite(.enabled(if: slowTestsEnabled)) struct FuzzTests {
  private static let fixtures = Files.folder(of: #filePath) + "/Fixtures"

  @Test func `configurations of models`() throws {
    let published = try Files.list(Self.fixtures).map { "\(Self.fixtures)/\($0)/config.json" }.filter(Files.exists)
    try #require(!published.isEmpty)
    try fuzz(try published.map { try Files.read($0) }, as: "config.json") { path in
      let json = try JSON(parsing: Files.read(path), source: path)
      let (_, configuration) = try ModelFamily.read(json, source: path)
      _ = configuration.parameters.count
      _ = try ModelConfiguration(configuration.json, source: path)
    }
  }

  @Test func `models in GGUF`() throws {
    let samples = try ["gpt2", "llama-linear", "neox", "qwen2"].map {
      try Files.read("\(Self.fixtures)/\($0)/model.gguf")
    }
    try fuzz(samples, as: "model.gguf") { path in
      let model = try PretrainedModel.open(path).load()
      _ = model.parameterCount
    }
  }

  @Test func `indices of weights in several files`() throws {
    let sharded = "\(Self.fixtures)/llama-llama3"
    let folder = try TemporaryFolder()
    for file in try Files.list(sharded) where file.hasSuffix(".safetensors") || file == "config.json" {
      try AtomicFile.write(Files.read("\(sharded)/\(file)"), to: folder(file))
    }
    let name = HuggingFaceFolder.indexName
    try fuzz([try Files.read("\(sharded)/\(name)")], as: name) { path in
      try AtomicFile.write(Files.read(path), to: folder(name))
      _ = try PretrainedModel.open(folder.path).load()
    }
  }
}
