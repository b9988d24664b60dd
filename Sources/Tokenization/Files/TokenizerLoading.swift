import Artifacts
import Diagnostics

extension Tokenizer {
  /// Reads a vocabulary from a `tokenizer.json`, or from a folder with GPT-2's `encoder.json` and `vocab.bpe` or with a
  /// `tokenizer.json`.
  ///
  /// - Throws: `Failure(.missingInput)` where there is none, `.badData` where it is damaged or of another kind.
  public init(path: String) throws {
    guard let status = try Files.status(path) else {
      throw Failure(.missingInput, "there is no such tokenizer", at: path)
    }
    self = try status.isFolder ? Self.load(folder: path) : Self.load(file: path)
  }

  /// The text of a `tokenizer.json` from which Python's `tokenizers` makes a tokenizer with equal ids.
  public var fileText: String { TokenizerFile.text(vocabulary) }

  /// The files to read: GPT-2's two, a `tokenizer.json`, or the path itself where a folder holds neither.
  private static func files(at path: String) -> [String] {
    let names = [GPT2Files.encoderName, GPT2Files.mergesName].map { "\(path)/\($0)" }
    if names.allSatisfy(Files.exists) { return names }
    let inside = "\(path)/tokenizer.json"
    return [Files.exists(inside) ? inside : path]
  }

  private static func load(folder: String) throws -> Tokenizer {
    let files = files(at: folder)
    guard files != [folder] else {
      throw Failure(
        .missingInput,
        "the folder holds neither tokenizer.json nor \(GPT2Files.encoderName) with \(GPT2Files.mergesName)", at: folder)
    }
    guard files.count == 2 else { return try load(file: files[0]) }
    let vocabulary = try GPT2Files.vocabulary(
      encoder: Files.read(files[0]), merges: Files.read(files[1]), encoderPath: files[0], mergesPath: files[1])
    return try Tokenizer(vocabulary, source: folder)
  }

  private static func load(file: String) throws -> Tokenizer {
    try Tokenizer(TokenizerFile.vocabulary(Files.read(file), source: file), source: file)
  }
}
