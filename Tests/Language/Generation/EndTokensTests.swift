import Diagnostics
import Files
import Generation
import JSON
import LanguageModels
import ModelDescriptions
import TestSupport
import Testing
import Tokenization

@Suite struct EndTokensTests {
  private let folder = try! TemporaryFolder()
  private let fixtures = "\(Files.folder(of: #filePath))/Fixtures"

  @Test func `a GGUF file's ends are those that llama.cpp finds in it`() throws {
    let path = "\(fixtures)/ends.gguf"
    let expected = try JSON(parsing: Files.read("\(fixtures)/ends.json"), source: "ends.json").arrayValue!
    let ends = try EndTokens(PretrainedModel.open(path), Tokenizer(path: path))
    #expect(ends.ids == Set(expected.map { Int32($0.intValue!) }))
  }

  /// Bytes, then <|endoftext|> 256, <|im_end|> 257, <|eot_id|> 258; the model has two logits more.
  private func ends(_ files: [String: String]) throws -> Set<Int32> {
    let tokenizer = try byteTokenizer(["<|endoftext|>", "<|im_end|>", "<|eot_id|>"])
    try folder.write(tokenizer.fileText, to: "tokenizer.json")
    try folder.write("", to: "model.safetensors")
    for name in ["tokenizer_config.json", "generation_config.json"] where Files.exists(folder(name)) {
      try Files.remove(folder(name))
    }
    var configuration: JSON = [
      "model_type": "llama", "vocab_size": 261, "hidden_size": 8, "intermediate_size": 8, "num_hidden_layers": 1,
      "num_attention_heads": 1, "max_position_embeddings": 32, "hidden_act": "silu",
    ]
    for (name, text) in files where name != "config.json" { try folder.write(text, to: name) }
    if let text = files["config.json"] {
      for (name, value) in try JSON(parsing: text, source: "a test").objectValue! { configuration[name] = value }
    }
    try folder.write(configuration.pretty, to: "config.json")
    return try EndTokens(PretrainedModel.open(folder.path), Tokenizer(path: folder.path)).ids
  }

  @Test func `a folder's ends are those that any of its files names, and what closes documents`() throws {
    #expect(try ends([:]) == [256])
    #expect(try ends(["tokenizer_config.json": #"{"eos_token": "<|im_end|>"}"#]) == [256, 257])
    #expect(try ends(["config.json": #"{"eos_token_id": 258}"#]) == [256, 258])
    #expect(try ends(["config.json": #"{"eos_token_id": [258, 65]}"#]) == [256, 258, 65])
    #expect(try ends(["generation_config.json": #"{"eos_token_id": 258}"#]) == [256, 258])
    #expect(try ends(["generation_config.json": #"{"eos_token_id": [257, 258]}"#]) == [256, 257, 258])
    #expect(
      try ends([
        "tokenizer_config.json": #"{"eos_token": {"content": "<|im_end|>"}}"#,
        "generation_config.json": #"{"eos_token_id": [258]}"#, "config.json": #"{"eos_token_id": null}"#,
      ]) == [256, 257, 258])
  }

  @Test func `config json's end counts beside that of generation_config json only where it is a special token`() throws
  {
    let generation = #"{"eos_token_id": 257}"#
    #expect(
      try ends(["config.json": #"{"eos_token_id": 2}"#, "generation_config.json": generation]) == [256, 257])
    #expect(
      try ends(["config.json": #"{"eos_token_id": 258}"#, "generation_config.json": generation]) == [256, 257, 258])
    #expect(
      try ends(["config.json": #"{"eos_token_id": 2}"#, "generation_config.json": #"{"top_k": 5}"#]) == [256, 2])
  }

  @Test func `ends beyond the logits end nothing, and what is no id is refused`() throws {
    #expect(try ends(["config.json": #"{"eos_token_id": [-1, 258, 261]}"#]) == [256, 258])
    for wrong in [#""<|im_end|>""#, "2.5", "[true]", "{}"] {
      let failure = #expect(throws: Failure.self) { try ends(["config.json": #"{"eos_token_id": \#(wrong)}"#]) }
      #expect(failure?.status == .badData && failure?.message.contains("eos_token_id must be an integer") == true)
      #expect(failure?.place?.hasSuffix("config.json") == true)
    }
  }

  @Test func `a model of ours ends at special tokens with such names, and goes on at text that is spelt alike`() throws
  {
    let model = LanguageModel(
      try ModelConfiguration(vocabulary: 260, context: 8, width: 8, layers: 1, heads: 1), seed: 1)
    try model.save(to: folder.path)
    let specials = try byteTokenizer(["<|endoftext|>", "<|im_end|>", "<s>"])
    let opened = try PretrainedModel.open(folder.path)
    #expect(try EndTokens(opened, specials).ids == [256, 257])
    #expect(try EndTokens(opened, byteTokenizer()).ids == [256])
  }

  @Test func `what other tools would do to the distribution is told, with the option that does it here`() throws {
    _ = try ends([
      "generation_config.json": """
      {"temperature": 0.7, "top_p": 0.8, "top_k": 0, "repetition_penalty": 1.05, "eos_token_id": 257, "do_sample": true,
       "num_beams": 1, "bad_words_ids": [], "suppress_tokens": [5], "min_p": null, "bos_token_id": 1}
      """
    ])
    let settings = try PretrainedModel.open(folder.path).statedGeneration().settings
    #expect(settings.map(\.text) == ["temperature 0.7", "top_p 0.8", "repetition_penalty 1.05", "suppress_tokens"])
    #expect(settings.map(\.option) == ["--policy 0.7", "--top-p 0.8", nil, nil])
    #expect(settings.map(\.needsDrawing) == [true, true, false, false])
  }
}
