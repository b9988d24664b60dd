/// The format of the files of a corpus.
public enum TextFormat: String, CaseIterable, Sendable {
  /// According to the name of each file.
  case auto
  /// A file is a text, whatever its name.
  case text
  /// A file holds records of JSON, whatever its name.
  case json
}
