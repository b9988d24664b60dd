import Artifacts
import Diagnostics
import ModelFiles

extension PretrainedModel {
  /// The template by which the model wants conversations written down.
  ///
  /// - Throws: `.badData` for a model without one.
  public func chatTemplate() throws -> String {
    guard let template = try chatTemplateIfPresent() else {
      throw Failure(.badData, "has no chat template, so it was not made for conversations; leave --chat out", at: path)
    }
    return template
  }

  /// As `chatTemplate`; nil for a model without one.
  public func chatTemplateIfPresent() throws -> String? {
    func content(_ folder: String) throws -> String? {
      let file = "\(folder)/\(HuggingFaceFolder.chatTemplateName)"
      return Files.exists(file) ? String(decoding: try Files.read(file), as: UTF8.self) : nil
    }
    switch source {
    case .gguf(let path): return try GGUFFile(path).metadata.string(ifPresent: "tokenizer.chat_template")
    case .own(let path): return try content(path)
    case .huggingFace(let folder):
      if let template = try content(folder.path) { return template }
      let settings = "\(folder.path)/tokenizer_config.json"
      guard Files.exists(settings) else { return nil }
      return try JSON(parsing: Files.read(settings), source: settings)["chat_template"]?.stringValue
    }
  }
}
