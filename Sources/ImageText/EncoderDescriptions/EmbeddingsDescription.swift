import Diagnostics
import JSON

/// What an `embeddings` artifact states about its rows, in `embeddings.json`:
///
///     {"space": "joint", "scale": 20.0, "scale_from": "fixed", "image": {…}, "text": {…},
///      "classes": ["an animal", "a sign"], "templates": ["a picture of {}"]}
public struct EmbeddingsDescription: Equatable, Sendable {
  /// The texts of classes, for classification without training (zero-shot).
  public struct Prompts: Equatable, Sendable {
    /// The words for each class of the table, by its index.
    public var classes: [String]
    /// Sentences around a class, with `{}` or `{c}` for its words.
    public var templates: [String]

    public init(classes: [String], templates: [String]) { (self.classes, self.templates) = (classes, templates) }

    /// Every sentence: for each class all templates, the classes one after the other.
    public var sentences: [String] {
      classes.flatMap { words in templates.map { Self.filled($0, with: words) } }
    }

    /// Whether a template has a place for the class's words.
    public static func isTemplate(_ text: String) -> Bool { text.contains("{}") || text.contains("{c}") }

    private static func filled(_ template: String, with words: String) -> String {
      template.split(separator: "{}", omittingEmptySubsequences: false)
        .map { $0.split(separator: "{c}", omittingEmptySubsequences: false).joined(separator: words) }
        .joined(separator: words)
    }
  }

  public var space: EmbeddingSpace
  public var image: TowerRecord
  public var text: TowerRecord
  /// Nil where the table has no classes.
  public var prompts: Prompts?
  /// The training of the encoders of a joint space; nil for spaces apart and for embeddings made elsewhere.
  public var model: EncoderRecord?

  public init(
    _ space: EmbeddingSpace, image: TowerRecord, text: TowerRecord, prompts: Prompts? = nil,
    model: EncoderRecord? = nil
  ) {
    precondition(space == .apart || image.width == text.width, "a joint space has one width")
    (self.space, self.image, self.text, self.prompts, self.model) = (space, image, text, prompts, model)
  }
}

extension EmbeddingsDescription {
  private enum SpaceName: String, CaseIterable {
    case apart, joint
  }

  public var json: JSON {
    var object: JSONObject = ["space": .string((space.scale == nil ? SpaceName.apart : .joint).rawValue)]
    if let scale = space.scale {
      object["scale"] = .number(scale.value)
      object["scale_from"] = .string(scale.origin.rawValue)
    }
    object["image"] = image.json
    object["text"] = text.json
    if let prompts {
      object["classes"] = .array(prompts.classes.map(JSON.string))
      object["templates"] = .array(prompts.templates.map(JSON.string))
    }
    object["model"] = model?.json
    return .object(object)
  }

  /// - Parameter source: the file, for messages.
  /// - Throws: `Failure(.badData)` naming the member that is not as it should be.
  public init(_ json: JSON, source: String) throws {
    var fields = try JSONFields(json, source: source)
    let name: SpaceName = try fields.choice("space")
    space = name == .joint ? .joint(try LogitScale(&fields)) : .apart
    image = try TowerRecord(fields.fields("image"))
    text = try TowerRecord(fields.fields("text"))
    if fields.optional("templates") != nil { prompts = try Prompts(&fields) }
    if fields.optional("model") != nil { model = try EncoderRecord(fields.fields("model")) }
    try fields.finish()
    guard space == .apart || image.width == text.width else {
      throw Failure(
        .badData, "states a joint space with widths of \(image.width) and \(text.width)", at: source)
    }
  }
}

extension LogitScale {
  fileprivate init(_ fields: inout JSONFields) throws {
    let value = try fields.number("scale")
    guard Float(value) > 0, Float(value).isFinite else {
      throw fields.failure("scale", "is \(value), expected a positive number")
    }
    self.init(value, from: try fields.choice("scale_from"))
  }
}

extension EmbeddingsDescription.Prompts {
  fileprivate init(_ fields: inout JSONFields) throws {
    classes = try fields.strings("classes")
    templates = try fields.strings("templates")
    guard !classes.isEmpty else { throw fields.failure("classes", "is empty") }
    guard !templates.isEmpty, templates.allSatisfy(Self.isTemplate) else {
      throw fields.failure("templates", "must be sentences with {} or {c} for the class")
    }
  }
}

extension JSONFields {
  fileprivate mutating func strings(_ name: String) throws -> [String] {
    try array(name).map { json in
      guard let text = json.stringValue else { throw failure(name, "must hold texts, found \(json.kindName)") }
      return text
    }
  }
}
