import Diagnostics
import Glibc
import Yams

/// Reads YAML files that users write: one document, every value with its line, no duplicate keys.
///
/// Errors are of status `badConfiguration` and name file and line. A file is text of at most 1 MiB, and aliases
/// cannot make it grow beyond what is stated here.
public enum YAMLSource {
  static let largestSource = 1 << 20
  /// Each alias may multiply what it refers to. With 32 of them a document grows at most 3^(32/3)-fold, about 120,000.
  static let mostAliases = 32
  static let mostNodes = 100_000

  /// The document in a file; an empty file is an empty mapping.
  public static func read(file path: String) throws -> YAMLNode {
    try parse(try text(ofFile: path), source: path)
  }

  /// The document in a text; an empty text is an empty mapping.
  ///
  /// - Parameter source: the name that places are given.
  public static func parse(_ text: String, source: String) throws -> YAMLNode {
    try compose(text, source: source).map { root in
      var budget = mostNodes
      return try convert(root, source: source, budget: &budget)
    } ?? YAMLNode(.mapping([]), at: Place(source))
  }

  private static func text(ofFile path: String) throws -> String {
    guard let file = fopen(path, "re") else { throw Failure.system("cannot read", path) }
    defer { fclose(file) }
    var bytes = [UInt8](repeating: 0, count: largestSource + 1)
    let count = fread(&bytes, 1, bytes.count, file)
    if ferror(file) != 0 {
      if errno == EISDIR { throw Failure(.missingInput, "is a folder, and a file is needed", at: path) }
      throw Failure.system("cannot read", path)
    }
    guard count <= largestSource else {
      throw Failure(.badConfiguration, "larger than 1 MiB, so it can hardly be a configuration", at: path)
    }
    let mark: [UInt8] = [0xEF, 0xBB, 0xBF]  // The byte-order mark that some editors write.
    guard let text = String(validating: bytes.prefix(count).trimmingPrefix(mark), as: UTF8.self) else {
      throw Failure(.badConfiguration, "not valid UTF-8", at: path)
    }
    return text
  }

  private static func compose(_ text: String, source: String) throws -> Node? {
    guard possibleAliases(text) <= mostAliases else {
      throw Failure(.badConfiguration, "more than \(mostAliases) aliases", at: source)
    }
    do {
      return try root(of: text)
    } catch let error as YamlError {
      throw failure(error, in: text, source: source)
    }
  }

  private static func root(of text: String) throws -> Node? {
    // The encoding is named because Yams otherwise looks it up in the environment; `.basic` because the default
    // resolver compiles seven regular expressions for YAML 1.1's idea of booleans and numbers.
    try Parser(yaml: text, resolver: .basic, encoding: .utf8).singleRoot()
  }

  /// At least the number of aliases: an asterisk that begins a word, also where it stands in a string or comment.
  private static func possibleAliases(_ text: String) -> Int {
    var previous = UInt8(ascii: "\n")
    var count = 0
    for byte in text.utf8 {
      if previous == UInt8(ascii: "*"), !" \t\r\n*".utf8.contains(byte) { count += 1 }
      previous = byte
    }
    return count
  }

  private static func convert(_ node: Node, source: String, budget: inout Int) throws -> YAMLNode {
    let place = Place(source, line: node.mark?.line)
    budget -= 1
    guard budget >= 0 else {
      throw Failure(.badConfiguration, "more than \(mostNodes) values when aliases are followed", at: "\(place)")
    }
    guard [.str, .seq, .map].contains(Tag.Name(rawValue: node.tag.description)) else {
      throw Failure(.badConfiguration, "the tag \(node.tag) is not supported", at: "\(place)")
    }
    switch node {
    case .scalar(let scalar):
      return YAMLNode(.scalar(YAMLScalar(scalar.string, isPlain: scalar.style == .plain)), at: place)
    case .sequence(let sequence):
      return YAMLNode(.sequence(try sequence.map { try convert($0, source: source, budget: &budget) }), at: place)
    case .mapping(let mapping):
      return YAMLNode(.mapping(try entries(of: mapping, source: source, budget: &budget)), at: place)
    case .alias:
      throw Failure(.badConfiguration, "an alias stands where no value is known", at: "\(place)")
    }
  }

  private static func entries(
    of mapping: Node.Mapping, source: String, budget: inout Int
  ) throws -> [YAMLEntry] {
    // That no key stands twice is Yams' own check.
    try mapping.map { key, value in
      let name = try convert(key, source: source, budget: &budget)
      guard let scalar = name.scalar else {
        throw Failure(.badConfiguration, "a key must be a word, not a list or mapping", at: "\(name.place)")
      }
      return YAMLEntry(scalar.text, at: name.place, try convert(value, source: source, budget: &budget))
    }
  }

  private static func failure(_ error: YamlError, in text: String, source: String) -> Failure {
    switch error {
    case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _),
      .composer(let context, let problem, let mark, _):
      // As in "while parsing a flow sequence, did not find expected ',' or ']'".
      let message = (context.map { "\($0.text), " } ?? "") + problem
      return Failure(.badConfiguration, message, at: "\(Place(source, line: mark.line))")
    case .duplicatedKeysInMapping(let keys, let context):
      let (name, first) = (keys.first ?? "", context.mark)
      let second = lineOfSecond(name, first: first, in: text)
      return Failure(
        .badConfiguration,
        "the key '\(name)' stands twice in one mapping" + (second == nil ? "" : ", first in line \(first.line)"),
        at: "\(Place(source, line: second ?? first.line))")
    case .reader(let problem, _, _, _):
      return Failure(.badConfiguration, problem, at: source)
    default:
      return Failure(.badConfiguration, "not YAML: \(error)", at: source)
    }
  }

  /// Where a key stands for the second time. Yams tells of the first only: with another name for that one, the second is
  /// the only one left in its mapping, or the first of those that still are too many.
  private static func lineOfSecond(_ key: String, first: Mark, in text: String) -> Int? {
    let prefix = "first-"
    guard let renamed = text.inserting(prefix, at: first) else { return nil }
    do {
      guard let document = try root(of: renamed) else { return nil }
      var budget = mostNodes
      return try convert(document, source: "", budget: &budget).line(of: key, beside: prefix + key)
    } catch YamlError.duplicatedKeysInMapping(let keys, let context) where keys.first == key {
      return context.mark.line
    } catch {
      return nil
    }
  }
}

extension YAMLNode {
  /// The line of a key in the mapping, here or further in, that has another one as well.
  fileprivate func line(of key: String, beside other: String) -> Int? {
    if let entries = mapping, entries.contains(where: { $0.key == other }) {
      return entries.first { $0.key == key }?.place.line
    }
    let values = sequence ?? mapping?.map(\.value) ?? []
    for value in values {
      if let line = value.line(of: key, beside: other) { return line }
    }
    return nil
  }
}

extension String {
  /// The text with a word put before the one at a mark, within its quotation marks; nil where there is no such place.
  fileprivate func inserting(_ word: String, at mark: Mark) -> String? {
    var text = unicodeScalars
    var (line, column) = (1, 1)
    var index = text.startIndex
    while index < text.endIndex, (line, column) != (mark.line, mark.column) {
      let scalar = text[index]
      text.formIndex(after: &index)
      let isBreak = scalar == "\r" ? index == text.endIndex || text[index] != "\n" : lineBreaks.contains(scalar)
      (line, column) = isBreak ? (line + 1, 1) : (line, column + 1)
    }
    guard index < text.endIndex else { return nil }
    if text[index] == "\"" || text[index] == "'" { text.formIndex(after: &index) }
    text.insert(contentsOf: word.unicodeScalars, at: index)
    return String(text)
  }
}

/// What ends a line in YAML 1.1, which libYAML reads, besides a carriage return.
private let lineBreaks: Set<Unicode.Scalar> = ["\n", "\u{85}", "\u{2028}", "\u{2029}"]
