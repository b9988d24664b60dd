import Diagnostics
import JSON

/// An added token as a file states it.
struct StatedToken: Hashable {
  var content: String
  var isSpecial: Bool
  var matching: Vocabulary.Matching

  init(_ content: String, isSpecial: Bool) {
    self.content = content
    self.isSpecial = isSpecial
    matching = isSpecial ? [] : .normalized
  }

  /// Reads the form with flags, `{"content": ..., "lstrip": ...}`; nil for any other JSON. Defaults are those of
  /// `tokenizers`: flags are off, except that tokens which are not special are normalised.
  ///
  /// - Parameter isSpecial: overrides the file; nil takes the file's flag.
  init?(_ json: JSON, isSpecial: Bool? = nil) {
    guard let content = json["content"]?.stringValue else { return nil }
    func isSet(_ name: String) -> Bool? { json[name]?.boolValue }
    self.init(content, isSpecial: isSpecial ?? isSet("special") ?? false)
    if let isNormalized = isSet("normalized") { matching = isNormalized ? .normalized : [] }
    let flags: [(String, Vocabulary.Matching)] = [
      ("lstrip", .leftStrip), ("rstrip", .rightStrip), ("single_word", .singleWord),
    ]
    for (name, flag) in flags where isSet(name) == true { matching.insert(flag) }
  }

  /// Reads a named special token: its content, or the form with flags.
  init?(named json: JSON) {
    guard let token = json.stringValue.map({ StatedToken($0, isSpecial: true) }) ?? StatedToken(json) else {
      return nil
    }
    self = token
    isSpecial = true
  }

  static func == (a: StatedToken, b: StatedToken) -> Bool {
    ExactString(a.content) == ExactString(b.content) && a.isSpecial == b.isSpecial && a.matching == b.matching
  }

  func hash(into hasher: inout Hasher) { hasher.combine(ExactString(content)) }
}
