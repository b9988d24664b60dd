import Artifacts
import Diagnostics
import ModelFiles

extension PretrainedModel {
  /// The template by which the model wants conversations written down.
  ///
  /// - Throws: `.badData` for a model without one.
  public func chatTemplate() throws -> String {
    guard let template = try template() else {
      throw Failure(.badData, "has no chat template, so it was not made for conversations; leave --chat out", at: path)
    }
    return template
  }

  private func template() throws -> String? {
    switch source {
    case .gguf(let path): return try GGUFFile(path).metadata.string(ifPresent: "tokenizer.chat_template")
    case .own: return nil
    case .huggingFace(let folder):
      let file = "\(folder.path)/chat_template.jinja"
      if Files.exists(file) { return String(decoding: try Files.read(file), as: UTF8.self) }
      let settings = "\(folder.path)/tokenizer_config.json"
      guard Files.exists(settings) else { return nil }
      return try JSON(parsing: Files.read(settings), source: settings)["chat_template"]?.stringValue
    }
  }
}
