import Diagnostics
import Files
import ModelFiles
import TestSupport
import Testing

@testable import LanguageModels

@Suite struct ChatTemplateTests {
  private let folder = try! TemporaryFolder()

  private func template(_ settings: String) throws -> String {
    for name in ["config.json", "model.safetensors"] where !Files.exists(folder(name)) {
      try Files.link(folder(name), to: "\(fixture("llama"))/\(name)")
    }
    try folder.write(settings, to: "tokenizer_config.json")
    return try PretrainedModel.open(folder.path).chatTemplate()
  }

  @Test func `of several templates the default one is taken, as by transformers`() throws {
    #expect(try template(#"{"chat_template": "a"}"#) == "a")
    let several = #"[{"name": "tool_use", "template": "b"}, {"name": "default", "template": "a"}]"#
    #expect(try template(#"{"chat_template": \#(several)}"#) == "a")
    #expect(try template(#"{"chat_template": {"tool_use": "b", "default": "a"}}"#) == "a")
    try folder.write("c", to: HuggingFaceFolder.chatTemplateName)
    #expect(try template(#"{"chat_template": \#(several)}"#) == "c")
  }

  @Test(arguments: [
    (#"{}"#, "no chat template"), (#"{"chat_template": null}"#, "no chat template"),
    (#"{"chat_template": [{"name": "rag", "template": "b"}, {"name": "tool_use", "template": "c"}]}"#, "rag, tool_use"),
    (#"{"chat_template": [{"name": "default"}]}"#, "chat_template must be"),
    (#"{"chat_template": 3}"#, "found an integer"),
  ])
  func `without a default template there is none to go by`(_ settings: String, _ word: String) {
    let failure = #expect(throws: Failure.self) { try template(settings) }
    #expect(failure?.status == .badData && failure?.message.contains(word) == true, "\(String(describing: failure))")
  }

  @Test func `a GGUF file names its further templates one by one`() throws {
    func template(_ entries: [(key: String, value: GGUFWriter.Value)]) throws -> String? {
      try GGUFWriter.write([("general.architecture", .string("gpt2"))] + entries, [], to: folder("model.gguf"))
      let model = PretrainedModel(source: .gguf(folder("model.gguf")), configuration: Examples.gpt2) { _ in [] }
      return try model.chatTemplate()
    }
    let further: (key: String, value: GGUFWriter.Value) = ("tokenizer.chat_template.rag", .string("b"))
    #expect(try template([further, ("tokenizer.chat_template", .string("a"))]) == "a")
    let failure = #expect(throws: Failure.self) { try template([further]) }
    #expect(failure?.message.contains("chat templates by name (rag)") == true)
  }
}
