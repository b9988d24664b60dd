import Diagnostics
import Files
import JSON
import ModelFiles

/// The files of a CLIP that was trained elsewhere.
public struct PublishedEncoderFiles: Equatable, Sendable {
  public enum Form: Equatable, Sendable {
    /// The path of open_clip's configuration.
    case openClip(String)
    /// The path of transformers' configuration, and of the one for pictures.
    case transformers(String, preprocessor: String?)
    /// A state dict alone.
    case bare
  }

  public let form: Form
  public let weights: [String]
  /// The vocabulary: a `tokenizer.json`, or a folder's `vocab.json`, beside which `merges.txt` lies; nil where there is
  /// none.
  public let tokenizer: String?
  /// What was named, for messages.
  public let place: String

  public static let openClipConfiguration = "open_clip_config.json"
  public static let openClipWeights = "open_clip_model.safetensors"
  private static let transformersWeights = [HuggingFaceFolder.weightsName, "pytorch_model.bin"]

  /// - Parameters:
  ///   - path: a folder, or a state dict.
  ///   - configuration: open_clip's configuration for a state dict; nil for none.
  ///   - tokenizer: a vocabulary in place of the folder's.
  /// - Throws: `Failure` with `.missingInput` where a file is not there, `.badData` for a folder of another kind.
  public init(_ path: String, configuration: String?, tokenizer: String?) throws {
    guard let status = try Files.status(path) else { throw Failure.missing("model", at: path) }
    for file in [configuration, tokenizer].compactMap({ $0 }) where !Files.exists(file) {
      throw Failure.missing("file", at: file)
    }
    place = path
    self.tokenizer = tokenizer ?? (status.isFolder ? Self.tokenizer(in: path) : nil)
    guard status.isFolder else {
      weights = [path]
      form = configuration.map(Form.openClip) ?? .bare
      return
    }
    let openClip = "\(path)/\(Self.openClipConfiguration)"
    if let configuration = configuration ?? (Files.exists(openClip) ? openClip : nil) {
      form = .openClip(configuration)
      weights = [try Self.first([Self.openClipWeights, "open_clip_pytorch_model.bin"], in: path)]
      return
    }
    guard Files.exists("\(path)/\(HuggingFaceFolder.configurationName)") else {
      throw Failure(
        .missingInput,
        "the folder holds neither \(Self.openClipConfiguration) nor \(HuggingFaceFolder.configurationName)", at: path)
    }
    let preprocessor = "\(path)/preprocessor_config.json"
    form = .transformers(
      "\(path)/\(HuggingFaceFolder.configurationName)",
      preprocessor: Files.exists(preprocessor) ? preprocessor : nil)
    if Files.exists("\(path)/\(HuggingFaceFolder.indexName)") {
      weights = try HuggingFaceFolder(path).weights.map { "\(path)/\($0)" }
    } else {
      weights = [try Self.first(Self.transformersWeights, in: path)]
    }
  }

  private static func first(_ names: [String], in folder: String) throws -> String {
    guard let name = names.first(where: { Files.exists("\(folder)/\($0)") }) else {
      throw Failure(.missingInput, "the folder holds none of \(names.joined(separator: ", "))", at: folder)
    }
    return "\(folder)/\(name)"
  }

  private static func tokenizer(in folder: String) -> String? {
    let names = [HuggingFaceFolder.tokenizerName] + HuggingFaceFolder.transformersNames.prefix(1)
    return names.map { "\(folder)/\($0)" }.first(where: Files.exists)
  }

  /// Every file that is read, with a name that does not depend on where it lies.
  public var all: [(name: String, path: String)] {
    var paths = weights
    switch form {
    case .openClip(let path): paths.append(path)
    case .transformers(let path, let preprocessor): paths += [path] + (preprocessor.map { [$0] } ?? [])
    case .bare: break
    }
    if let tokenizer {
      paths.append(tokenizer)
      if Files.name(of: tokenizer) == HuggingFaceFolder.transformersNames[0] {
        paths.append("\(Files.folder(of: tokenizer))/\(HuggingFaceFolder.transformersNames[1])")
      }
    }
    return paths.map { (Files.name(of: $0), $0) }
  }
}
