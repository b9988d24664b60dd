import Diagnostics
import Files
import JSON

/// A model's folder in Hugging Face's form: `config.json`, weights in one safetensors file or in several with an index,
/// and a tokenizer.
public struct HuggingFaceFolder: Sendable {
  public let path: String
  /// The names of the weight files; those of an index in the order of their names.
  public let weights: [String]
  /// For weights in several files: which file holds each tensor.
  public let index: [(tensor: String, file: String)]?

  public static let configurationName = "config.json"
  public static let weightsName = "model.safetensors"
  public static let indexName = "model.safetensors.index.json"
  /// The settings of generation. No stage generates text, so that they are in no key.
  public static let generationName = "generation_config.json"
  /// The file with the chat template, in artifacts too.
  public static let chatTemplateName = "chat_template.jinja"
  /// The vocabulary with its rules, in an artifact as well.
  public static let tokenizerName = "tokenizer.json"
  public static let tokenizerSettingsName = "tokenizer_config.json"
  /// Of older programs: special tokens by name, and added tokens with their ids.
  public static let specialTokensName = "special_tokens_map.json"
  public static let addedTokensName = "added_tokens.json"
  /// GPT-2's vocabulary in two files, ids and merges, by OpenAI's names and by those of transformers.
  public static let openAINames = ["encoder.json", "vocab.bpe"]
  public static let transformersNames = ["vocab.json", "merges.txt"]
  /// The files of tokenizers; all that exist count.
  public static let tokenizerNames =
    [tokenizerName, tokenizerSettingsName, specialTokensName, addedTokensName] + openAINames + transformersNames

  public var configurationPath: String { "\(path)/\(Self.configurationName)" }
  public var indexPath: String { "\(path)/\(Self.indexName)" }

  /// - Throws: `Failure` with `.missingInput` where a file is missing, `.badData` where the index is damaged.
  public init(_ path: String) throws {
    self.path = path
    guard Files.exists("\(path)/\(Self.configurationName)") else {
      throw Failure(.missingInput, "the folder holds no \(Self.configurationName)", at: path)
    }
    if Files.exists("\(path)/\(Self.weightsName)") {
      weights = [Self.weightsName]
      index = nil
      return
    }
    guard Files.exists("\(path)/\(Self.indexName)") else {
      let pickled = ["pytorch_model.bin", "pytorch_model.bin.index.json"].first { Files.exists("\(path)/\($0)") }
      let hint = pickled.map { "; \($0) is a pickle, which can run code when it is read, and is not supported" } ?? ""
      throw Failure(
        .missingInput, "the folder holds neither \(Self.weightsName) nor \(Self.indexName)\(hint)", at: path)
    }
    let index = try Self.readIndex("\(path)/\(Self.indexName)")
    weights = Set(index.map(\.file)).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    self.index = index
    for name in weights where !Files.exists("\(path)/\(name)") {
      throw Failure(.missingInput, "the file is missing, which \(Self.indexName) names", at: "\(path)/\(name)")
    }
  }

  private static func readIndex(_ path: String) throws -> [(tensor: String, file: String)] {
    var fields = try JSONFields(JSON(parsing: Files.read(path), source: path), source: path)
    let map = try fields.object("weight_map")
    guard !map.isEmpty else { throw fields.failure("weight_map", "is empty") }
    return try map.map { tensor, file in
      guard let file = file.stringValue, Files.isPlainRelative(file), !file.contains("/"),
        file.hasSuffix(".safetensors"), file.utf8.allSatisfy({ $0 < 0x80 })
      else { throw fields.failure("weight_map", "names no safetensors file, in ASCII, for \"\(tensor)\"") }
      return (tensor, file)
    }
  }

  /// Files that only add to a tokenizer: they change what a stage makes only if it turns text into ids.
  public static let tokenizerSupplements = [specialTokensName, addedTokensName]

  /// The names of all files of the model, its tokenizer and its chat template.
  public var files: [String] {
    [Self.configurationName] + (index == nil ? [] : [Self.indexName]) + weights
      + (Self.tokenizerNames + [Self.chatTemplateName]).filter { Files.exists("\(path)/\($0)") }
  }
}
