import Diagnostics
import Files
import JSON
import ModelFiles

extension Tokenizer {
  /// Reads a vocabulary from a file (`tokenizer.json`, a GGUF file, tiktoken's ranks) or from a folder with one: a
  /// `tokenizer.json`, or GPT-2's two files under either pair of names, and transformers' files beside them. Skipped
  /// and guessed settings are reported on standard error.
  ///
  /// - Throws: `Failure(.missingInput)` without a vocabulary, `.badData` for a damaged one or one of another kind.
  public init(path: String) throws {
    guard let status = try Files.status(path) else { throw Failure.missing("tokenizer", at: path) }
    self = try status.isFolder ? Self.load(folder: path) : Self.load(file: path)
    for warning in warnings { Log.warning(warning) }
  }

  /// Reads the `tokenizer.json` of an artifact, whose end-of-text id is known.
  init(path: String, endOfText: Int32) throws {
    try self.init(TokenizerFile.vocabulary(Files.read(path), source: path), endOfText: endOfText, source: path)
  }

  /// The vocabulary of a published model; nil if its files have none.
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

  /// Names of the files of a vocabulary, the likeliest first: one file, or one for tokens and one for merges.
  private static let names: [[String]] = [
    HuggingFaceFolder.openAINames, [HuggingFaceFolder.tokenizerName], HuggingFaceFolder.transformersNames,
  ]

  private static func files(inFolder folder: String) -> [String]? {
    names.lazy.map { $0.map { "\(folder)/\($0)" } }.first { $0.allSatisfy(Files.exists) }
  }

  private static func load(folder: String) throws -> Tokenizer {
    guard let files = files(inFolder: folder) else {
      let other = UnsupportedFile.allCases.first { Files.exists("\(folder)/\($0.rawValue)") }
      throw Failure(
        .missingInput,
        "the folder holds neither \(HuggingFaceFolder.tokenizerName) nor "
          + HuggingFaceFolder.openAINames.joined(separator: " with ")
          + (other.map { "; \($0.rawValue) is not supported: \($0.remedy)" } ?? ""), at: folder)
    }
    guard files.count == 2 else { return try load(json: files[0], settings: TokenizerSettings(folder: folder)) }
    let settings = try TokenizerSettings(folder: folder, usual: "GPT2Tokenizer")
    // The two files do not state a splitting rule.
    guard settings.kind == "GPT2Tokenizer" else {
      throw Failure(
        .badData, "tokenizer_class is \(settings.kind!), which needs a tokenizer.json", at: settings.configurationPath)
    }
    var (spelled, list) = try GPT2Files.read(
      encoder: Files.read(files[0]), merges: Files.read(files[1]), encoderPath: files[0], mergesPath: files[1])
    try settings.apply(to: &spelled.rules)
    let begins = settings.bool("add_bos_token") ?? false
    return try tokenizer(spelled, list, settings, begin: nil, addsBegin: begins, [], source: folder)
  }

  private static func load(file: String) throws -> Tokenizer {
    if try GGUFFile.isGGUF(file) {
      let content = try GGUFFile(file)
      guard GGUFVocabulary.isIn(content) else { throw Failure(.missingInput, "the file holds no vocabulary", at: file) }
      return try GGUFVocabulary(content).tokenizer()
    }
    if Files.name(of: file).utf8.suffix(9).elementsEqual(".tiktoken".utf8) {
      return try Tokenizer(TiktokenFile.vocabulary(Files.read(file), source: file), source: file)
    }
    return try load(json: file, settings: nil)
  }

  /// - Parameter settings: of the file's folder; nil if the path named the file itself.
  private static func load(json path: String, settings: TokenizerSettings?) throws -> Tokenizer {
    let bytes = try Files.read(path)
    if TiktokenFile.looksLike(bytes) {
      throw Failure(.badData, "holds tiktoken's ranks; give it a name that ends in .tiktoken", at: path)
    }
    func check(_ other: UnsupportedFile?) throws {
      guard let other else { return }
      throw Failure(.badData, "is \(other.description), which is not supported: \(other.remedy)", at: path)
    }
    try check(UnsupportedFile(bytes))
    let file = try JSON(parsing: bytes, source: path)
    try check(UnsupportedFile(file))
    var warnings: [String] = []
    var (spelled, list) = try TokenizerFile.read(file, source: path, warnings: &warnings)
    let template = TokenizerFile.template(file)
    if !template.after.isEmpty {
      warnings.append(
        "\(path) adds \(template.after.joined(separator: ", ")) after every text; "
          + TokenizerSettings.howTextsAreClosed)
    }
    guard let settings else {
      let marks = Marks(begin: template.begin, addsBegin: template.begin != nil)
      return try Tokenizer(spelled.vocabulary(with: list), marks: marks, warnings: warnings, source: path)
    }
    let own = spelled.rules
    try settings.apply(to: &spelled.rules)
    if spelled.rules != own {
      warnings.append(
        "\(settings.configurationPath) overrides tokenizer.json: "
          + (spelled.rules.prefix == .none ? "no blank is added before texts" : "texts without a blank get one"))
    }
    if let adds = settings.bool("add_bos_token"), adds != (template.begin != nil) {
      warnings.append(
        "add_bos_token is \(adds) in \(settings.configurationPath), but tokenizer.json "
          + (adds ? "adds nothing" : "adds a token") + " before a text, and takes precedence, as in transformers")
    }
    return try tokenizer(
      spelled, list, settings, begin: template.begin, addsBegin: template.begin != nil, warnings, source: path)
  }

  /// A tokenizer with the tokens and settings of the files beside the vocabulary.
  private static func tokenizer(
    _ spelled: SpelledVocabulary, _ list: AddedTokenList, _ settings: TokenizerSettings, begin: Int32?, addsBegin: Bool,
    _ warnings: [String], source: String
  ) throws -> Tokenizer {
    var list = list
    let guesses = try settings.add(to: &list)
    // In a pair of files this is the special token, whatever the settings name.
    let end = Vocabulary.endOfTextName
    if settings.kind == "GPT2Tokenizer", list[end] == nil, list.id(of: end) != nil {
      list.add(StatedToken(end, isSpecial: true))
    }
    func id(_ name: String) -> Int32? { settings.named(name).flatMap { list.id(of: $0.content) }.map { Int32($0) } }
    let marks = Marks(
      begin: begin ?? id("bos_token"), end: id("eos_token"), addsBegin: addsBegin,
      splitsSpecials: settings.bool("split_special_tokens") ?? false)
    return try Tokenizer(
      spelled.vocabulary(with: list), marks: marks, warnings: warnings + settings.warnings + guesses, source: source)
  }
}
