import Artifacts
import Diagnostics
import TestSupport
import Testing

@testable import Tokenization

@Suite struct TokenizerFileTests {
  private let json = try! JSON(parsing: Files.read(fixture("tokenizer.json")), source: "tokenizer.json")

  private func vocabulary(_ json: JSON) throws -> Vocabulary {
    try TokenizerFile.vocabulary(json.pretty.utf8, source: "tokenizer.json")
  }

  /// The failure's message when a file changed by `change` is read.
  private func refusal(_ change: (inout JSON) -> Void) -> String? {
    var changed = json
    change(&changed)
    do {
      _ = try Tokenizer(vocabulary(changed), source: "tokenizer.json")
      return nil
    } catch let failure as Failure {
      return failure.status == .badData && failure.place == "tokenizer.json" ? failure.message : "another failure"
    } catch { return "another error" }
  }

  @Test func `writes what it read`() throws {
    let written = try JSON(parsing: fixtureTokenizer.fileText, source: "written")
    #expect(written == json)
  }

  @Test func `reads merges in their older form`() throws {
    var older = json
    older["model"]!["merges"] = .array(
      json["model"]!["merges"]!.arrayValue!.map {
        .string("\($0.arrayValue![0].stringValue!) \($0.arrayValue![1].stringValue!)")
      })
    #expect(try vocabulary(older) == fixtureTokenizer.vocabulary)
  }

  @Test func `refuses by name what it does not support`() {
    #expect(refusal { $0["normalizer"] = ["type": "NFKC"] }?.contains("normalizer 'NFKC'") == true)
    #expect(refusal { $0["normalizer"] = ["type": "Precompiled"] }?.contains("'Precompiled'") == true)
    #expect(refusal { $0["pre_tokenizer"] = ["type": "Whitespace"] }?.contains("'Whitespace'") == true)
    #expect(refusal { $0["pre_tokenizer"]!["add_prefix_space"] = true }?.contains("add_prefix_space") == true)
    #expect(refusal { $0["pre_tokenizer"]!["use_regex"] = false }?.contains("use_regex") == true)
    #expect(refusal { $0["post_processor"] = ["type": "BertProcessing"] }?.contains("BertProcessing") == true)
    #expect(refusal { $0["decoder"] = ["type": "Metaspace"] }?.contains("Metaspace") == true)
    #expect(refusal { $0["truncation"] = ["max_length": 5] }?.contains("truncation") == true)
    #expect(refusal { $0["model"]!["type"] = "WordPiece" }?.contains("WordPiece") == true)
    #expect(refusal { $0["model"]!["dropout"] = 0.1 }?.contains("model.dropout") == true)
    #expect(refusal { $0["model"]!["byte_fallback"] = true }?.contains("pre_tokenizer 'ByteLevel'") == true)
    #expect(
      refusal {
        $0["model"]!["byte_fallback"] = true
        $0["pre_tokenizer"] = .null
        $0["decoder"] = .null
      }?.contains("byte_fallback") == true)
    #expect(refusal { $0["model"]!["ignore_merges"] = 1 }?.contains("model.ignore_merges") == true)
    #expect(refusal { $0["model"]!["end_of_word_suffix"] = "</w>" }?.contains("end_of_word_suffix") == true)
    #expect(refusal { $0["model"]!["invention"] = 1 }?.contains("model.invention") == true)
    for option in ["lstrip", "rstrip", "single_word"] {
      let stripping = refusal {
        var token: JSON = ["id": 700, "content": "<x>", "special": false]
        token[option] = true
        $0["added_tokens"] = .array($0["added_tokens"]!.arrayValue! + [token])
      }
      #expect(stripping?.contains("\(option) of the added token '<x>'") == true)
    }
    func splitting(_ step: JSON, usesRule: Bool = false) -> String? {
      let last: JSON = ["type": "ByteLevel", "add_prefix_space": false, "use_regex": .bool(usesRule)]
      return refusal { $0["pre_tokenizer"] = ["type": "Sequence", "pretokenizers": [step, last]] }
    }
    #expect(splitting(["type": "Punctuation"])?.contains("'Punctuation'") == true)
    #expect(splitting(["type": "Digits", "individual_digits": false], usesRule: true)?.contains("'Digits'") == true)
    #expect(
      splitting(["type": "Split", "pattern": ["Regex": "a|b"], "behavior": "Isolated"])?.contains("a|b") == true)
    #expect(
      splitting(["type": "Split", "pattern": ["Regex": "\\s+"], "behavior": "MergedWithNext"])?
        .contains("MergedWithNext") == true)
  }

  @Test func `refuses parts that do not fit together`() {
    #expect(refusal { $0["added_tokens"] = [] } != nil)
    #expect(refusal { $0["model"]!["vocab"]!["à¤"] = nil } != nil)
    #expect(refusal { $0["model"]!["vocab"]!["a"] = nil } != nil)
    #expect(refusal { $0["model"]!["vocab"]!["b"] = 65 }?.contains("65") == true)
    #expect(refusal { $0["model"]!["vocab"]!["b"] = -1 } != nil)
    #expect(refusal { $0["model"]!["vocab"]!["b"] = 4_000_000_000 } != nil)
    #expect(refusal { $0["model"]!["vocab"]!["b"] = "66" } != nil)
    #expect(refusal { $0["model"]!["vocab"]!["日"] = 701 }?.contains("日") == true)
    #expect(refusal { $0["model"]!["merges"] = [["q", "nothing"]] } != nil)
    #expect(refusal { $0["model"]!["merges"] = [["q"]] } != nil)
    #expect(refusal { $0["model"]!["merges"] = ["q u e"] } != nil)
    #expect(refusal { $0["model"] = nil } != nil)
  }

  @Test func `reads GPT-2's two files`() throws {
    let folder = try TemporaryFolder()
    var encoder = JSONObject()
    for (token, id) in json["model"]!["vocab"]!.objectValue! { encoder[token] = id }
    try folder.write(JSON.object(encoder).compact, to: "encoder.json")
    let merges = json["model"]!["merges"]!.arrayValue!.map {
      "\($0.arrayValue![0].stringValue!) \($0.arrayValue![1].stringValue!)\n"
    }
    try folder.write("#version: 0.2\n" + merges.joined(), to: "vocab.bpe")
    #expect(try Tokenizer(path: folder.path).vocabulary == fixtureTokenizer.vocabulary)

    try folder.write("#version: 0.2\nonly-one\n", to: "vocab.bpe")
    #expect { _ = try Tokenizer(path: folder.path) } throws: { error in
      (error as? Failure)?.message.contains("line 2") == true
    }

    for id in encoder.count..<5000 { encoder["token\(id)"] = .integer(id) }
    try folder.write(JSON.object(encoder).compact, to: "encoder.json")
    try folder.write(merges.joined(), to: "vocab.bpe")
    let cut = #expect(throws: Failure.self) { try Tokenizer(path: folder.path) }
    #expect(cut?.status == .badData && cut?.message.contains("cut short") == true)
  }

  @Test func `reads a folder with a tokenizer.json, and says what is missing from one without`() throws {
    let folder = try TemporaryFolder()
    #expect { _ = try Tokenizer(path: folder.path) } throws: { ($0 as? Failure)?.status == .missingInput }
    #expect { _ = try Tokenizer(path: folder("none")) } throws: { ($0 as? Failure)?.status == .missingInput }
    try folder.write(fixtureTokenizer.fileText, to: "tokenizer.json")
    #expect(try Tokenizer(path: folder.path).vocabulary == fixtureTokenizer.vocabulary)
  }

  @Test func `refuses ids that no vocabulary has`() {
    for id in [Int.max, Int.min, -1, 1 << 21, 1 << 32] {
      #expect(refusal { $0["model"]!["vocab"]!["a"] = .integer(id) } != nil)
      #expect(refusal { $0["added_tokens"] = [["id": .integer(id), "content": "x", "special": true]] } != nil)
    }
  }
}
