/// How texts lie in the files of a corpus.
public enum TextFormat: String, CaseIterable, Sendable {
  /// As the name of each file says.
  case auto
  /// A file is a text, whatever its name.
  case text
  /// A file holds records of JSON, whatever its name.
  case json
}
