import Artifacts
import Configuration
import Diagnostics
import Files
import JSON
import ModelFiles

/// The settings of `tempnet-tokenize`.
public struct TokenizeConfiguration: StageConfiguration {
  /// Texts: files, folders, archives, JSON lines, descriptors.
  public var corpus: [String]
  /// The vocabulary to use: a `tokenizer.json`, a GGUF file, tiktoken's ranks, or a folder with a `tokenizer.json` or
  /// GPT-2's two files. Nil trains one.
  public var tokenizer: String?
  /// The number of entries of a new vocabulary.
  public var vocabulary: Int
  /// The field of JSON records that holds the text, or a path to it (`message.content`).
  public var field: String
  public var format: TextFormat
  /// The shares for validation and test of text without a stated split; the rest is for training.
  public var validation: Double
  public var test: Double
  public var shardTokens: Int
  /// The most bytes that a compressed file or archive may unpack to; nil for 200 times its size or 1 GiB.
  public var unpackedLimit: Int?
  public var threads: Int?

  /// The least size of a vocabulary: `<|endoftext|>` and the 256 bytes.
  public static let smallestVocabulary = 257
  public static let largestVocabulary = 1 << 21

  public init(reading reader: inout ConfigurationReader) throws {
    corpus = try reader.paths("corpus", help: "texts, folders, archives, JSON lines or descriptors (data/*.yaml)")
    tokenizer = try reader.optionalPath(
      "tokenizer", help: "a tokenizer.json, a model or GPT-2's files; without it one is trained")
    vocabulary = try reader.integer(
      "vocabulary", default: 4096, in: Self.smallestVocabulary...Self.largestVocabulary,
      help: "entries of the vocabulary that is trained")
    field = try reader.string(
      "field", default: "text",
      help: "the field of JSON records that holds the text; message.content leads into an object")
    format = try reader.value(
      "format", as: .choice(), default: .auto,
      help: "whether files hold text or JSON records, lines or one array; auto goes by their names")
    validation = try reader.number(
      "validation", default: 0.05, in: 0...1, help: "share of the text to validate on, where no descriptor says")
    test = try reader.number("test", default: 0.05, in: 0...1, help: "share of the text to test on, likewise")
    shardTokens = try reader.integer(
      "shard_tokens", default: 1 << 27, in: 1...1 << 32, help: "tokens per shard, at most")
    unpackedLimit = try reader.value(
      "unpacked_limit", as: .optional(.integer(in: 0...Int.max)), default: .some(nil), identity: false,
      help: "bytes that a compressed text may unpack to; none is 200 times its size, at least 1 GiB")
    threads = try reader.threads()
    if corpus.isEmpty { throw reader.failure("corpus", "must name a text") }
    if validation + test > 1 {
      throw reader.failure("test", with: ["validation"], "and validation together must not exceed 1")
    }
    if tokenizer != nil && reader.isGiven("vocabulary") {
      throw reader.failure("vocabulary", with: ["tokenizer"], "is for training one, but a tokenizer is given")
    }
  }
}

/// Turns text into tokens.
public enum Tokenize: StageDescription {
  public static let name = "tokenize"
  public static let summary = "Turns text into shards of tokens, with a vocabulary it trains or is given."
  public static let version = 2
  public static let output = ArtifactKind.tokens
  public static let inputs: [StageInput] = []
  public typealias Configuration = TokenizeConfiguration

  public static func vocabulary(_ configuration: TokenizeConfiguration, inputs: [String: Int?]) -> Int? {
    configuration.tokenizer == nil ? configuration.vocabulary : nil
  }

  public static func rawInputs(_ configuration: TokenizeConfiguration) throws -> [RawInput] {
    let texts = try configuration.corpus.enumerated().flatMap { try files("corpus/\($0)", $1) }
    return try texts + (configuration.tokenizer.map(tokenizerFiles) ?? [])
  }

  /// Refuses a result inside a folder of texts: the result, its lock and the runner's store would be read as text.
  public static func problem(_ configuration: TokenizeConfiguration, withOutput path: String) throws -> String? {
    try problem(withOutput: path, inFolders: configuration.corpus, of: "texts")
  }

  /// A file, or all files that `Corpus` reads of a folder. A descriptor stands for its files, because it states their
  /// digests.
  private static func files(_ name: String, _ path: String) throws -> [RawInput] {
    guard let status = try Files.status(path) else { throw Failure.missing("text", at: path) }
    guard status.isFolder else { return [RawInput("\(name)/\(Files.name(of: path))", path: path)] }
    return try VisibleFiles.paths(in: path).map { RawInput("\(name)/\($0)", path: "\(path)/\($0)") }
  }

  private static func tokenizerFiles(_ path: String) throws -> [RawInput] {
    guard let status = try Files.status(path) else { throw Failure.missing("tokenizer", at: path) }
    guard status.isFolder else { return [RawInput("tokenizer", path: path)] }
    return HuggingFaceFolder.tokenizerNames.filter { Files.exists("\(path)/\($0)") }
      .map { RawInput("tokenizer/\($0)", path: "\(path)/\($0)") }
  }
}
