import Diagnostics
import Yams

/// Reads YAML files that users write: one document, every value with its line, no duplicate keys.
///
/// Anchors, aliases and YAML 1.1's merge key `<<` are followed. Errors are of status `badConfiguration` and name file
/// and line. A file is text of at most 1 MiB, and the growth by aliases is limited.
public enum YAMLSource {
  static let largestSource = 1 << 20
  /// Each alias may multiply what it refers to. With 32 of them a document grows at most 3^(32/3)-fold, about 120,000.
  static let mostAliases = 32
  static let mostNodes = 100_000

  /// Whether a path names a YAML file, by its ending.
  public static func isName(_ path: String) -> Bool { [".yaml", ".yml"].contains(where: path.lowercased().hasSuffix) }

  /// The document in a file; an empty file is an empty mapping.
  public static func read(file path: String) throws -> YAMLNode {
    try parse(try YAMLBytes.text(ofFile: path, limit: largestSource), source: path)
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

  /// An upper bound of the number of aliases: the asterisks that begin a word, also in strings and comments.
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
      throw Failure(.badConfiguration, "an alias to an unknown value", at: "\(place)")
    }
  }

  private static func entries(
    of mapping: Node.Mapping, source: String, budget: inout Int
  ) throws -> [YAMLEntry] {
    var (own, merged): ([YAMLEntry], [YAMLEntry]) = ([], [])
    // Yams checks for repeated keys.
    for (key, value) in mapping {
      if key.isMergeKey {
        merged += try mergedEntries(value, at: Place(source, line: key.mark?.line), budget: &budget)
        continue
      }
      let name = try convert(key, source: source, budget: &budget)
      guard let scalar = name.scalar else {
        throw Failure(.badConfiguration, "a key must be a word, not a list or mapping", at: "\(name.place)")
      }
      own.append(YAMLEntry(scalar.text, at: name.place, try convert(value, source: source, budget: &budget)))
    }
    return merged.isEmpty ? own : join(own, merged)
  }

  /// The entries under `<<`: of a mapping, or of the mappings in a list.
  private static func mergedEntries(_ node: Node, at place: Place, budget: inout Int) throws -> [YAMLEntry] {
    let value = try convert(node, source: place.source, budget: &budget)
    let mappings = (value.sequence ?? [value]).map(\.mapping)
    guard !mappings.contains(where: { $0 == nil }) else {
      throw Failure(
        .badConfiguration,
        "the merge key '<<' takes a mapping, as in '<<: *defaults', or a list of mappings, not \(value.abridged)",
        at: "\(place)")
    }
    return mappings.flatMap { $0 ?? [] }
  }

  /// Merged entries come first in the result. The mapping's own key wins over a merged one, and the first of two merged
  /// ones wins (yaml.org/type/merge.html).
  private static func join(_ own: [YAMLEntry], _ merged: [YAMLEntry]) -> [YAMLEntry] {
    let ownEntries = Dictionary(own.map { ($0.key, $0) }) { first, _ in first }
    var names: Set<String> = []
    let first = merged.filter { names.insert($0.key).inserted }.map { ownEntries[$0.key] ?? $0 }
    return first + own.filter { !names.contains($0.key) }
  }

  private static func failure(_ error: YamlError, in text: String, source: String) -> Failure {
    switch error {
    case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _),
      .composer(let context, let problem, let mark, _):
      // As in "while parsing a flow sequence, did not find expected ',' or ']'".
      if let line = lineWithTab(near: mark.line, in: text) {
        return Failure(
          .badConfiguration,
          "a tab in the indentation, where YAML takes spaces only; 'expand -t 2' makes spaces of tabs",
          at: "\(Place(source, line: line))")
      }
      let message = (context.map { "\($0.text), " } ?? "") + problem + hint(problem, context)
      return Failure(.badConfiguration, message, at: "\(Place(source, line: mark.line))")
    case .duplicatedKeysInMapping(let keys, let context):
      let (name, first) = (keys.first ?? "", context.mark)
      let second = lineOfSecond(name, first: first, in: text)
      return Failure(
        .badConfiguration,
        "the key '\(name)' stands twice in one mapping" + (second == nil ? "" : ", first in line \(first.line)")
          + (name == "<<" ? "; a list merges several: '<<: [*a, *b]'" : ""),
        at: "\(Place(source, line: second ?? first.line))")
    case .reader(let problem, let offset, let value, let read):
      let line = offset.map { 1 + read.prefix($0).utf8.count { $0 == UInt8(ascii: "\n") } }
      let scalar = value > 0 ? ": U+" + String(value, radix: 16, uppercase: true).padded(to: 4) : ""
      return Failure(.badConfiguration, problem + scalar, at: "\(Place(source, line: line))")
    default:
      return Failure(.badConfiguration, "not YAML: \(error)", at: source)
    }
  }

  /// The remedy where a value begins with a character that YAML reserves.
  private static func hint(_ problem: String, _ context: YamlError.Context?) -> String {
    let isOfAlias = problem.contains("undefined alias") || context?.text.hasSuffix("scanning an alias") == true
    guard isOfAlias || problem.contains("cannot start any token") else { return "" }
    return "; a text that begins with a sign such as * or @ needs quotation marks"
  }

  /// The line at or beside a fault that is indented with a tab.
  private static func lineWithTab(near line: Int, in text: String) -> Int? {
    let lines = text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    return [line, line + 1, line - 1].first { line in
      lines.indices.contains(line - 1)
        && lines[line - 1].prefix { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }.contains(UInt8(ascii: "\t"))
    }
  }

  /// The place of the second of two equal keys; Yams reports the first only. Once the first is renamed, the second is
  /// unique in its mapping, or the first that Yams reports.
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

extension Node {
  /// In quotation marks `<<` is a key like any other.
  fileprivate var isMergeKey: Bool {
    guard case .scalar(let scalar) = self else { return false }
    return scalar.style == .plain && scalar.string == "<<"
  }
}

extension String {
  fileprivate func padded(to width: Int) -> String { String(repeating: "0", count: max(0, width - count)) + self }

  /// The text with a word inserted before the word at a mark, within its quotation marks; nil where there is no such
  /// place.
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

/// The line ends of YAML 1.1, which libYAML reads, except the carriage return.
private let lineBreaks: Set<Unicode.Scalar> = ["\n", "\u{85}", "\u{2028}", "\u{2029}"]
