import Artifacts
import Diagnostics
import ModelFiles

extension Tokenizer {
  /// Reads a vocabulary from a file (`tokenizer.json`, a GGUF file, tiktoken's ranks) or from a folder with one: a
  /// `tokenizer.json`, or GPT-2's two files under either pair of their names.
  ///
  /// - Throws: `Failure(.missingInput)` where there is none, `.badData` where it is damaged or of another kind.
  public init(path: String) throws {
    guard let status = try Files.status(path) else {
      throw Failure(.missingInput, "there is no such tokenizer", at: path)
    }
    self = try status.isFolder ? Self.load(folder: path) : Self.load(file: path)
  }

  /// Reads a `tokenizer.json` of which it is known what closes documents.
  init(path: String, endOfText: Int32) throws {
    try self.init(TokenizerFile.vocabulary(Files.read(path), source: path), endOfText: endOfText, source: path)
  }

  /// The vocabulary of a published model; nil where it comes without one.
  public init?(ofModel path: String) throws {
    if try Files.status(path)?.isFolder == false, try GGUFFile.isGGUF(path) {
      let file = try GGUFFile(path)
      guard GGUFVocabulary.isIn(file) else { return nil }
      self = try GGUFVocabulary(file).tokenizer()
      return
    }
    guard Self.files(inFolder: path) != nil else { return nil }
    try self.init(path: path)
  }

  /// The text of a `tokenizer.json` from which Python's `tokenizers` makes a tokenizer with equal ids.
  public var fileText: String { TokenizerFile.text(vocabulary) }

  /// Names of files that make a vocabulary, the likeliest first: tokens and ids, and merges where they stand apart.
  private static let names: [[String]] = [
    [GPT2Files.encoderName, GPT2Files.mergesName], ["tokenizer.json"], ["vocab.json", "merges.txt"],
  ]

  private static func files(inFolder folder: String) -> [String]? {
    names.lazy.map { $0.map { "\(folder)/\($0)" } }.first { $0.allSatisfy(Files.exists) }
  }

  private static func load(folder: String) throws -> Tokenizer {
    guard let files = files(inFolder: folder) else {
      let other = ["tokenizer.model", "spiece.model"].first { Files.exists("\(folder)/\($0)") }
      let hint = other.map { "; \($0) is not supported" } ?? ""
      throw Failure(
        .missingInput,
        "the folder holds neither tokenizer.json nor \(GPT2Files.encoderName) with \(GPT2Files.mergesName)\(hint)",
        at: folder)
    }
    let settings = "\(folder)/tokenizer_config.json"
    guard files.count == 2 else { return try load(json: files[0], marksFrom: settings) }
    if Files.exists(settings) {
      // The two files do not say by which rule they split text.
      let kind = try JSON(parsing: Files.read(settings), source: settings)["tokenizer_class"]?.stringValue
      guard [nil, "GPT2Tokenizer", "GPT2TokenizerFast"].contains(kind) else {
        throw Failure(.badData, "tokenizer_class is \(kind!), which needs a tokenizer.json", at: settings)
      }
    }
    let vocabulary = try GPT2Files.vocabulary(
      encoder: Files.read(files[0]), merges: Files.read(files[1]), encoderPath: files[0], mergesPath: files[1])
    return try Tokenizer(vocabulary, source: folder)
  }

  private static func load(file: String) throws -> Tokenizer {
    if try GGUFFile.isGGUF(file) {
      let content = try GGUFFile(file)
      guard GGUFVocabulary.isIn(content) else { throw Failure(.missingInput, "the file holds no vocabulary", at: file) }
      return try GGUFVocabulary(content).tokenizer()
    }
    if file.hasSuffix(".tiktoken") {
      return try Tokenizer(TiktokenFile.vocabulary(Files.read(file), source: file), source: file)
    }
    return try load(json: file, marksFrom: nil)
  }

  /// - Parameter settings: a `tokenizer_config.json` that may be there.
  private static func load(json path: String, marksFrom settings: String?) throws -> Tokenizer {
    let file = try JSON(parsing: Files.read(path), source: path)
    let vocabulary = try TokenizerFile.vocabulary(file, source: path)
    let first = TokenizerFile.beginOfText(file)
    var marks = Marks(begin: first, addsBegin: first != nil)
    if let settings, Files.exists(settings) {
      let json = try JSON(parsing: Files.read(settings), source: settings)
      func id(_ name: String) -> Int32? {
        let content = json[name]?.stringValue ?? json[name]?["content"]?.stringValue
        return vocabulary.specials.first { $0.content == content }?.id
      }
      marks.begin = marks.begin ?? id("bos_token")
      marks.end = id("eos_token")
      if let adds = json["add_bos_token"]?.boolValue { marks.addsBegin = adds }
    }
    return try Tokenizer(vocabulary, marks: marks, source: path)
  }
}
