import Diagnostics
import Files
import JSON
import TestSupport
import Testing

@testable import Tokenization

/// The files beside a vocabulary in a folder, compared with transformers; see `Fixtures/make_folders.py`.
@Suite struct FolderTests {
  private static let cases = try! JSON(parsing: Files.read(fixture("added/folders.json")), source: "folders.json")
    .arrayValue!

  /// Writes the files of a case.
  private func write(_ entry: JSON, to folder: borrowing TemporaryFolder) throws {
    let base = "rules/\(entry["base"]!.stringValue!).json"
    var file = try JSON(parsing: Files.read(fixture(base)), source: base)
    for (name, value) in entry["changes"]!.objectValue! { file[name] = value }
    for (name, value) in entry["files"]!.objectValue! {
      switch name {
      case "vocab.json": try folder.write(file["model"]!["vocab"]!.compact, to: name)
      case "merges.txt":
        let lines = file["model"]!["merges"]!.arrayValue!.map { merge in
          merge.arrayValue!.map { $0.stringValue! }.joined(separator: " ") + "\n"
        }
        try folder.write("#version: 0.2\n" + lines.joined(), to: name)
      case "tokenizer.json":
        for (name, member) in value.objectValue! { file[name] = member }
        try folder.write(file.compact, to: name)
      default: try folder.write(value.compact, to: name)
      }
    }
  }

  @Test func `gives the ids that transformers gives, or refuses ids that disagree`() throws {
    for (number, entry) in Self.cases.enumerated() {
      let folder = try TemporaryFolder()
      try write(entry, to: folder)
      guard entry["refused"] == nil else {
        let failure = #expect(throws: Failure.self, "case \(number)") { try Tokenizer(path: folder.path) }
        #expect(failure?.status == .badData && failure?.message.contains(" id ") == true, "case \(number)")
        continue
      }
      let tokenizer: Tokenizer
      do {
        tokenizer = try Tokenizer(path: folder.path)
      } catch let failure as Failure where failure.message.contains("no special token to close documents") {
        #expect(entry["end"]!.isNull, "case \(number)")
        continue
      } catch {
        Issue.record("case \(number): \(error)")
        continue
      }
      #expect(tokenizer.vocabularySize == entry["size"]!.intValue!, "case \(number)")
      for (text, (ids, meant)) in zip(
        entry["texts"]!.arrayValue!, zip(entry["text"]!.arrayValue!, entry["meant"]!.arrayValue!))
      {
        let text = text.stringValue!
        #expect(tokenizer.encode(text).map(Int.init) == ids.arrayValue!.map { $0.intValue! }, "case \(number): \(text)")
        #expect(
          tokenizer.encode(text, specials: true).map(Int.init) == meant.arrayValue!.map { $0.intValue! },
          "case \(number), meant: \(text)")
      }
    }
  }

  // MARK: One by one

  /// The tokenizer of a folder with the vocabulary of `rules` and these settings.
  private func read(
    _ rules: String, _ files: [String: JSON], changing change: (inout JSON) -> Void = { _ in }
  ) throws -> Tokenizer {
    let folder = try TemporaryFolder()
    var file = try JSON(parsing: Files.read(fixture("rules/\(rules).json")), source: rules)
    change(&file)
    try folder.write(file.compact, to: "tokenizer.json")
    for (name, content) in files { try folder.write(content.compact, to: name) }
    return try Tokenizer(path: folder.path)
  }

  private func refusal(_ rules: String, _ settings: JSON) -> String? {
    let failure = #expect(throws: Failure.self) { try read(rules, ["tokenizer_config.json": settings]) }
    #expect(failure?.status == .badData)
    return failure?.message
  }

  @Test(arguments: ["tokenizer_config.json", "special_tokens_map.json"])
  func `a file beside the vocabulary may be the only one to name the end-of-text token`(_ name: String) throws {
    for form: JSON in ["<end>", ["content": "<end>", "lstrip": false]] {
      let tokenizer = try read("smollm", [name: ["eos_token": form]]) {
        $0["added_tokens"] = []
        let vocabulary = $0["model"]!["vocab"]!.objectValue!.map {
          ($0.key == Vocabulary.endOfTextName ? "<end>" : $0.key, $0.value)
        }
        $0["model"]!["vocab"] = .object(JSONObject(vocabulary))
      }
      #expect(tokenizer.endOfText == 0 && tokenizer.vocabulary.specials.map(\.content) == ["<end>"])
    }
  }

  @Test func `add_prefix_space is refused if its effect is not known`() throws {
    for name: JSON in [.null, "Qwen2Tokenizer", "CodeGenTokenizer"] {
      let message = refusal("qwen2", ["tokenizer_class": name, "add_prefix_space": true])
      #expect(message?.contains("add_prefix_space is true") == true)
    }
    #expect(refusal("smollm", ["tokenizer_class": "GPT2Tokenizer", "add_prefix_space": true]) != nil)
    let agreed: JSON = ["tokenizer_class": "Qwen2Tokenizer", "add_prefix_space": false]
    #expect(try read("qwen2", ["tokenizer_config.json": agreed]).warnings.isEmpty)
  }

  @Test func `names the file that takes precedence when files disagree`() throws {
    let prefixed = try read(
      "metaspace-first",
      [
        "tokenizer_config.json": ["tokenizer_class": "LlamaTokenizer", "add_prefix_space": false]
      ])
    #expect(prefixed.warnings.count == 1 && prefixed.warnings[0].contains("no blank is added before texts"))
    #expect(prefixed.vocabulary.rules.prefix == .none)
    let begun = try read("llama2", ["tokenizer_config.json": ["add_bos_token": false]])
    #expect(begun.addsBeginOfText && begun.warnings.count == 1 && begun.warnings[0].contains("add_bos_token is false"))
    let ended = try read("llama2", ["tokenizer_config.json": ["add_eos_token": true]])
    #expect(ended.warnings.count == 1 && ended.warnings[0].contains("add_eos_token"))
    let guessed = try read("llama2", ["special_tokens_map.json": ["additional_special_tokens": ["<new>"]]])
    #expect(guessed.warnings.count == 1 && guessed.warnings[0].contains("'<new>'"))
    #expect(guessed.encode("<new>", specials: true) == [600])
  }

  @Test func `special tokens stay text with split_special_tokens`() throws {
    let tokenizer = try read("llama2", ["tokenizer_config.json": ["split_special_tokens": true]])
    #expect(tokenizer.encode("</s>", specials: true) == tokenizer.encode("</s>"))
  }
}
