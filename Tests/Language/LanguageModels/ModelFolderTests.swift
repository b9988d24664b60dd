import Diagnostics
import Files
import ModelDescriptions
import TestSupport
import Testing
import Torch
import Weights

@testable import LanguageModels

@Suite struct ModelFolderTests {
  @Test(arguments: Examples.all)
  func `a model is read back as it was`(_ configuration: ModelConfiguration) throws {
    let folder = try TemporaryFolder()
    let model = LanguageModel(configuration, seed: 2)
    try model.save(to: folder.path)
    let again = try LanguageModel.load(folder.path)
    #expect(again.configuration == configuration)
    #expect(again.parameters.map(\.name) == model.parameters.map(\.name))
    #expect(again.parameters.map(\.tensor.floats) == model.parameters.map(\.tensor.floats))
  }

  @Test func `equal models give equal bytes`() throws {
    let bytes = try (0..<2).map { _ in
      let folder = try TemporaryFolder()
      try LanguageModel(Examples.neox, seed: 2).save(to: folder.path)
      return try contents(folder.path)
    }
    #expect(bytes[0] == bytes[1])
  }

  @Test func `tensors that are missing, misshapen, of another kind or unexpected are named`() throws {
    let model = LanguageModel(Examples.llama, seed: 2)
    let stored = model.parameters.map { (name: $0.name, tensor: $0.tensor) }
    let name = "blocks.1.attention.qkv.weight"
    let others = stored.filter { $0.name != name }
    try expectRefusal(of: others, saying: name)
    try expectRefusal(of: others + [(name, Tensor.zeros([32, 17]))], saying: "[32, 17]")
    try expectRefusal(of: others + [(name, Tensor.zeros([32, 16], dtype: .int32))], saying: "I32")
    try expectRefusal(of: stored + [("blocks.2.norm.weight", Tensor.zeros([1]))], saying: "blocks.2.norm.weight")
  }

  @Test func `weights of half precision are read`() throws {
    let folder = try TemporaryFolder()
    let model = LanguageModel(Examples.llama, seed: 2)
    try model.save(to: folder.path)
    try SafetensorsWriter.write(
      model.parameters.map { (name: $0.name, tensor: $0.tensor.to(.bfloat16)) }, to: folder("model.safetensors"))
    let again = try LanguageModel.load(folder.path)
    #expect(again.headWeight.dtype == .float32)
    #expect(again.headWeight.floats == model.headWeight.to(.bfloat16).floats)
  }

  @Test func `a folder that is not there is missing input`() {
    let failure = #expect(throws: Failure.self) { try LanguageModel.load("/nowhere/model") }
    #expect(failure?.status == .missingInput)
  }

  private func expectRefusal(of tensors: [(name: String, tensor: Tensor)], saying word: String) throws {
    let folder = try TemporaryFolder()
    try AtomicFile.write(Examples.llama.json.pretty, to: folder("config.json"))
    try SafetensorsWriter.write(tensors, to: folder("model.safetensors"))
    let failure = #expect(throws: Failure.self) { try LanguageModel.load(folder.path) }
    #expect(failure?.status == .badData)
    #expect(failure?.description.contains(word) == true, "\(failure!)")
  }
}
