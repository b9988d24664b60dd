import Diagnostics
import Files
import JSON
import TestSupport
import Testing

@testable import Tokenization

@Suite struct TokenizerFileTests {
  private let json = try! JSON(parsing: Files.read(fixture("tokenizer.json")), source: "tokenizer.json")

  private func vocabulary(_ json: JSON) throws -> Vocabulary {
    try TokenizerFile.vocabulary(json.pretty.utf8, source: "tokenizer.json")
  }

  /// The message of the failure to read a file changed by `change`.
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

  @Test func `writes the vocabulary that it read`() throws {
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

  @Test func `names the setting that is not supported`() {
    #expect(refusal { $0["normalizer"] = ["type": "NFKC"] }?.contains("normalizer 'NFKC'") == true)
    #expect(refusal { $0["normalizer"] = ["type": "Precompiled"] }?.contains("'Precompiled'") == true)
    #expect(refusal { $0["pre_tokenizer"] = ["type": "Whitespace"] }?.contains("'Whitespace'") == true)
    #expect(refusal { $0["pre_tokenizer"]!["add_prefix_space"] = nil }?.contains("add_prefix_space") == true)
    #expect(refusal { $0["pre_tokenizer"]!["use_regex"] = false }?.contains("use_regex") == true)
    #expect(refusal { $0["post_processor"] = ["type": "BertProcessing"] }?.contains("BertProcessing") == true)
    #expect(refusal { $0["decoder"] = ["type": "Metaspace"] }?.contains("Metaspace") == true)
    #expect(
      refusal { $0["decoder"] = ["type": "Sequence", "decoders": [["type": "ByteLevel"], ["type": "Strip"]]] }?
        .contains("decoder 'Strip'") == true)
    #expect(refusal { $0["decoder"] = ["type": "Fuse"] }?.contains("decoder 'Fuse'") == true)
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

  @Test func `reads equivalent forms, and reports settings that it skips`() throws {
    var changed = json
    changed["truncation"] = ["max_length": 5]
    changed["padding"] = ["pad_id": 0]
    changed["decoder"] = ["type": "Sequence", "decoders": [["type": "ByteFallback"], ["type": "ByteLevel"]]]
    var warnings: [String] = []
    let (spelled, list) = try TokenizerFile.read(changed, source: "tokenizer.json", warnings: &warnings)
    #expect(try spelled.vocabulary(with: list) == fixtureTokenizer.vocabulary)
    #expect(warnings.count == 2 && warnings[0].hasPrefix("truncation") && warnings[1].hasPrefix("padding"))
  }

  /// Swift joins a blank and the combining mark after it to one character.
  @Test(arguments: [["क", "ि"], ["ก", "ี"], ["ب", "َ"], ["☀", "\u{FE0F}"], ["a", "\u{200D}"], ["한", "\u{1160}"]])
  func `reads merges in their older form whose second part begins with a mark`(_ parts: [String]) throws {
    var file = try JSON(parsing: Files.read(fixture("rules/llama2.json")), source: "llama2.json")
    let size = file["model"]!["vocab"]!.objectValue!.count
    let new = parts + [parts.joined()]
    for (place, token) in new.filter({ file["model"]!["vocab"]![$0] == nil }).enumerated() {
      file["model"]!["vocab"]![token] = .integer(size + place)
    }
    let id = Int32(file["model"]!["vocab"]![parts.joined()]!.intValue!)
    for merge: JSON in [.string(parts.joined(separator: " ")), .array(parts.map { .string($0) })] {
      file["model"]!["merges"] = [merge]
      let tokenizer = try Tokenizer(vocabulary(file), source: "llama2.json")
      #expect(tokenizer.encode("x" + parts.joined()).last == id)
    }
  }

  @Test func `refuses added tokens that share an id or content`() {
    func adding(_ tokens: JSON...) -> String? {
      refusal { $0["added_tokens"] = .array($0["added_tokens"]!.arrayValue! + tokens) }
    }
    #expect(adding(["id": 700, "content": "a"])?.contains("has the id 700, but 65 in the vocabulary") == true)
    #expect(
      adding(["id": 65, "content": "<x>"])?.contains("the id 65 of the added token '<x>' is that of 'a'") == true)
    #expect(adding(["id": 700, "content": "<x>"], ["id": 701, "content": "<x>"])?.contains("of its own") == true)
    #expect(adding(["id": 700, "content": "<x>"], ["id": 700, "content": "<y>"])?.contains("of its own") == true)
    let ambiguous = refusal {
      $0["normalizer"] = ["type": "NFC"]
      let tokens: [JSON] = [
        ["id": 700, "content": "xe\u{301}", "normalized": true], ["id": 701, "content": "x\u{E9}", "normalized": true],
      ]
      $0["added_tokens"] = .array($0["added_tokens"]!.arrayValue! + tokens)
    }
    #expect(ambiguous?.contains("once normalized") == true)
  }

  @Test func `refuses ranks that do not fit the merges`() {
    let wrong: [JSON] = [
      1, [[0]], [[0, 1]], [[-1, 2]], [[0, 444]], [[2, 2], [0, 2]], [[0, 3], [2, 2]], [[0, .integer(1 << 62)]],
    ]
    for ranks in wrong {
      #expect(refusal { $0["model"]!["tempnet_shared_ranks"] = ranks }?.contains("tempnet_shared_ranks") == true)
    }
  }

  @Test func `refuses ids, tokens and merges that do not fit together`() {
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

    let windows = "#version: 0.2\r\n" + merges.map { $0.dropLast() + "\r\n" }.joined()
    try folder.write(windows, to: "vocab.bpe")
    #expect(try Tokenizer(path: folder.path).vocabulary == fixtureTokenizer.vocabulary)

    try folder.write("#version: 0.2\n", to: "vocab.bpe")
    let empty = #expect(throws: Failure.self) { try Tokenizer(path: folder.path) }
    #expect(empty?.message.contains("has 0 merges") == true)

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

  @Test func `a vocabulary of single bytes needs no merges`() throws {
    let folder = try TemporaryFolder()
    let bytes = JSONObject(
      fixtureTokenizer.vocabulary.tokens.prefix(257).enumerated().map { id, token in
        (id == 0 ? Vocabulary.endOfTextName : ByteAlphabet.spelling(of: token!), .integer(id))
      })
    try folder.write(JSON.object(bytes).compact, to: "vocab.json")
    try folder.write("#version: 0.2\n", to: "merges.txt")
    #expect(try Tokenizer(path: folder.path).encode("ab") == [65, 66])
  }

  @Test func `names the kind of a file that is not a tokenizer`() throws {
    let folder = try TemporaryFolder()
    func refusal(_ bytes: [UInt8], _ name: String) throws -> String? {
      try AtomicFile.write(bytes, to: folder(name))
      let failure = #expect(throws: Failure.self) { try Tokenizer(path: folder(name)) }
      #expect(failure?.status == .badData && failure?.place == folder(name))
      return failure?.message
    }
    let protobuf: [UInt8] = [0x0A, 0x0E, 0x0A, 0x05] + "<unk>".utf8 + [0x15, 0, 0, 0, 0, 0x18, 2]
    #expect(try refusal(protobuf, "tokenizer.model")?.hasPrefix("is a model of SentencePiece") == true)
    let tekken = #"{"config": {"pattern": "a"}, "vocab": [{"rank": 0, "token_bytes": "AA=="}]}"#
    #expect(try refusal(Array(tekken.utf8), "tekken.json")?.hasPrefix("is Mistral's tekken.json") == true)
    #expect(try refusal(Array("IQ== 0\r\nIg== 1\r\n".utf8), "tokenizer.bin")?.contains(".tiktoken") == true)
    let missing = #expect(throws: Failure.self) { try Tokenizer(path: folder.path) }
    #expect(missing?.status == .missingInput && missing?.message.contains("tokenizer.model") == true)
  }

  @Test func `reads a folder with a tokenizer.json, and names the missing file in one without`() throws {
    let folder = try TemporaryFolder()
    #expect { _ = try Tokenizer(path: folder.path) } throws: { ($0 as? Failure)?.status == .missingInput }
    #expect { _ = try Tokenizer(path: folder("none")) } throws: { ($0 as? Failure)?.status == .missingInput }
    try folder.write(fixtureTokenizer.fileText, to: "tokenizer.json")
    #expect(try Tokenizer(path: folder.path).vocabulary == fixtureTokenizer.vocabulary)
  }

  @Test func `refuses ids beyond the largest vocabulary`() {
    for id in [Int.max, Int.min, -1, 1 << 21, 1 << 32] {
      #expect(refusal { $0["model"]!["vocab"]!["a"] = .integer(id) } != nil)
      #expect(refusal { $0["added_tokens"] = [["id": .integer(id), "content": "x", "special": true]] } != nil)
    }
  }
}
