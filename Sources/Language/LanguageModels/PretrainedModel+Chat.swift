import Diagnostics
import Files
import JSON
import ModelFiles

extension PretrainedModel {
  /// The template of conversations; where the model has several, the one named "default".
  ///
  /// - Throws: `Failure` with `.badData` for a model without a template, or with several and no default.
  public func chatTemplate() throws -> String {
    let templates = try chatTemplates()
    if let template = templates.first(where: { $0.name == Self.defaultTemplate }) { return template.text }
    guard templates.isEmpty else {
      let names = templates.map(\.name).joined(separator: ", ")
      throw Failure(
        .badData,
        "has chat templates by name (\(names)), but none is called \(Self.defaultTemplate); write the conversation into the "
          + "prompt yourself, with --special-tokens and without --chat", at: path)
    }
    throw Failure(.badData, "has no chat template, so it was not made for conversations; leave --chat out", at: path)
  }

  /// As `chatTemplate`; nil for a model without one, or without a default.
  public func chatTemplateIfPresent() throws -> String? {
    try chatTemplates().first { $0.name == Self.defaultTemplate }?.text
  }

  private static let defaultTemplate = "default"
  private typealias Named = (name: String, text: String)

  private func chatTemplates() throws -> [Named] {
    func content(_ folder: String) throws -> [Named]? {
      let file = "\(folder)/\(HuggingFaceFolder.chatTemplateName)"
      guard Files.exists(file) else { return nil }
      return [(Self.defaultTemplate, String(decoding: try Files.read(file), as: UTF8.self))]
    }
    switch source {
    case .gguf(let path): return try Self.templates(GGUFFile(path).metadata)
    case .own(let path): return try content(path) ?? []
    case .huggingFace(let folder):
      if let template = try content(folder.path) { return template }
      let settings = "\(folder.path)/\(HuggingFaceFolder.tokenizerSettingsName)"
      guard Files.exists(settings) else { return [] }
      return try Self.templates(JSON(parsing: Files.read(settings), source: settings), settings)
    }
  }

  /// One text, or several by name: as a list of `{"name": ..., "template": ...}`, which transformers wrote, or an object.
  private static func templates(_ settings: JSON, _ path: String) throws -> [Named] {
    let member = settings["chat_template"] ?? .null
    func failure() -> Failure {
      Failure(.badData, "chat_template must be a text, or several by name, found \(member.kindName)", at: path)
    }
    switch member {
    case .null: return []
    case .string(let text): return [(defaultTemplate, text)]
    case .array(let list):
      return try list.map { entry in
        guard let name = entry["name"]?.stringValue, let text = entry["template"]?.stringValue else { throw failure() }
        return (name, text)
      }
    case .object(let object):
      return try object.map { name, template in
        guard let text = template.stringValue else { throw failure() }
        return (name, text)
      }
    default: throw failure()
    }
  }

  private static func templates(_ metadata: GGUFMetadata) throws -> [Named] {
    let key = GGUFMetadata.chatTemplateKey
    var templates = try metadata.string(ifPresent: key).map { [(name: defaultTemplate, text: $0)] } ?? []
    for other in metadata.keys where other.utf8.starts(with: "\(key).".utf8) {
      templates.append(
        (String(decoding: other.utf8.dropFirst(key.utf8.count + 1), as: UTF8.self), try metadata.string(other)))
    }
    return templates
  }
}

extension GGUFMetadata {
  /// The key of the chat template; further ones have names behind a point.
  public static let chatTemplateKey = "tokenizer.chat_template"
}
