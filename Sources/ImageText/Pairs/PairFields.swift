import JSON

/// In which fields of records (JSON objects, rows of tables) what is said of a picture stands.
public struct PairFields: Equatable, Sendable {
  /// The path of the picture; nil for the first of the usual names that a record has.
  public var image: String?
  /// The caption, or an array of captions; nil likewise.
  public var caption: String?
  public var concept = "concept"
  public var style = "style"
  public var label: String?
  public var licence: String?
  public var split = "split"

  public init() {}

  static let usualImages = ["file_name", "image", "filepath", "image_path", "filename", "file", "path"]
  static let usualCaptions = ["captions", "caption", "title", "text", "sentences"]
  private static let usualLabels = ["class", "label"]
  private static let usualLicences = ["licence", "license"]

  /// What a table of these columns lacks; nil if it has a column of pictures and all that were named.
  func problem(withColumns columns: [String]) -> String? {
    let usual = PairFields()
    let found = columns.prefix(20).map { "'\($0)'" }.joined(separator: ", ") + (columns.count > 20 ? " and more" : "")
    let named = [
      ("image", image), ("caption", caption), ("class", label), ("licence", licence),
      ("concept", concept == usual.concept ? nil : concept), ("style", style == usual.style ? nil : style),
      ("split", split == usual.split ? nil : split),
    ]
    for case (let key, let column?) in named where !columns.contains(column) {
      return "has no column '\(column)', which fields.\(key) names; its columns are \(found)"
    }
    guard image == nil, !Self.usualImages.contains(where: columns.contains) else { return nil }
    return "has no column of pictures (\(Self.usualImages.joined(separator: ", "))); its columns are \(found); "
      + "fields.image names another"
  }

  /// The path of a record's picture; nil where it states none.
  func image(of record: JSONObject) -> String? {
    guard let name = first(image, Self.usualImages, in: record).flatMap(Self.text) else { return nil }
    // Karpathy's files state the folder beside the name.
    if image == nil, let folder = record["filepath"].flatMap(Self.text), record["sentences"] != nil,
      let file = record["filename"].flatMap(Self.text)
    {
      return "\(folder)/\(file)"
    }
    return name
  }

  func description(of record: JSONObject) -> PairDescription {
    var description = PairDescription(captions: captions(of: record))
    description.concept = record[concept].flatMap(Self.text)
    description.style = record[style].flatMap(Self.text)
    description.label = first(label, Self.usualLabels, in: record).flatMap(Self.text)
    description.licence = first(licence, Self.usualLicences, in: record).flatMap(Self.text)
    description.isFree = record["free"]?.boolValue
    description.split = record[split].flatMap(Self.text)
    return description
  }

  private func captions(of record: JSONObject) -> [String] {
    switch first(caption, Self.usualCaptions, in: record) {
    case .array(let elements)?:
      // Karpathy's sentences are objects.
      cleaned(elements.compactMap { Self.text($0) ?? $0["raw"].flatMap(Self.text) })
    case let value?: cleaned(Self.text(value).map { [$0] } ?? [])
    case nil: []
    }
  }

  private func first(_ name: String?, _ usual: [String], in record: JSONObject) -> JSON? {
    for name in name.map({ [$0] }) ?? usual {
      if let value = record[name], !value.isNull { return value }
    }
    return nil
  }

  /// A value as text; nil for one that is empty or no text or number.
  private static func text(_ value: JSON) -> String? {
    let text: String? =
      switch value {
      case .string(let text), .unusable(.loneSurrogates(_, let text)): text
      case .integer(let number): "\(number)"
      case .number(let number): "\(number)"
      default: nil
      }
    return text.map(trimmed).flatMap { $0.isEmpty ? nil : $0 }
  }
}

/// Captions without white space around them, without empty and repeated ones.
func cleaned(_ captions: some Sequence<String>) -> [String] {
  captions.map(trimmed).reduce(into: []) { list, caption in
    if !caption.isEmpty && !list.contains(caption) { list.append(caption) }
  }
}

/// A text without the white space around it.
private func trimmed(_ text: String) -> String {
  let blank: (Character) -> Bool = { $0.isWhitespace || $0 == "\0" || $0 == "\u{FEFF}" }
  guard let first = text.firstIndex(where: { !blank($0) }), let last = text.lastIndex(where: { !blank($0) }) else {
    return ""
  }
  return String(text[first...last])
}
