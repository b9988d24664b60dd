import Diagnostics
import JSON

/// Reads a configuration key by key. One declaration gives a key its type, default, range and help:
///
///     steps = try reader.integer("steps", default: 2000, in: 1...1_000_000, help: "optimiser steps")
///
/// The reader remembers every key with its value. They give the canonical configuration, which enters the artifact's
/// key, and the documentation that `--help` prints. Wrong values and unknown keys are failures of status
/// `badConfiguration` that name file and line.
public struct ConfigurationReader {
  private let prefix: String
  /// The place of the mapping.
  public let place: Place
  private var entries: [YAMLEntry]
  private let isDocumenting: Bool
  private var canonicalMembers = JSONObject()
  /// Every key declared so far, including keys of sections.
  public private(set) var documentation: [OptionDocumentation] = []
  private var declared: [String] = []
  private var sections: [String] = []
  private var formerSpellings: [FormerSpelling] = []

  /// A reader of a mapping, which usually is ``YAMLSource``'s document with overrides applied.
  public init(_ configuration: YAMLNode) throws {
    try self.init(configuration, prefix: "", isDocumenting: false)
  }

  /// A reader for which every key is absent, and which invents required values, so that the keys can be listed.
  init(documenting _: Void) {
    (prefix, place, entries, isDocumenting) = ("", Place("documentation"), [], true)
  }

  private init(_ configuration: YAMLNode, prefix: String, isDocumenting: Bool) throws {
    let entries = try configuration.entries(of: prefix.isEmpty ? "the configuration" : String(prefix.dropLast()))
    (self.prefix, place, self.entries, self.isDocumenting) = (prefix, configuration.place, entries, isDocumenting)
  }

  /// The values that identify the result: every key read so far, except those with `identity: false`.
  public var canonical: JSON { .object(formerSpellings.former(canonicalMembers)) }

  /// Accepts keys in former spellings too. Must be called before any key is read.
  public mutating func accept(_ spellings: [FormerSpelling]) throws {
    precondition(declared.isEmpty && formerSpellings.isEmpty, "spellings are accepted once, before keys are read")
    formerSpellings = spellings
    entries = try spellings.present(entries)
  }

  /// Leaves a key out of the result's identity, because its value makes no difference to the result.
  public mutating func leaveOut(_ key: String) { canonicalMembers[key] = nil }

  /// Reads one key; the other methods are short forms of this one.
  ///
  /// - Parameters:
  ///   - default: the value of an absent key; without one the key is required.
  ///   - identity: whether the value belongs to the artifact's key. Threads, intervals and paths do not.
  ///   - help: a phrase for the documentation, without a full stop.
  public mutating func value<Value>(
    _ key: String, as type: ConfigurationType<Value>, default: Value?, identity: Bool = true, help: String
  ) throws -> Value {
    declare(key)
    documentation.append(
      OptionDocumentation(
        key: prefix + key, expectation: type.expectation, default: `default`.map(type.encode), help: help))
    let value = try given(key, as: type) ?? `default` ?? required(key, type)
    if identity { canonicalMembers[key] = type.encode(value) }
    return value
  }

  /// Reads a section; unknown keys in it are refused when `body` returns.
  public mutating func section<Result>(
    _ key: String, _ body: (inout ConfigurationReader) throws -> Result
  ) throws -> Result {
    declare(key)
    sections.append(key)
    let node = entry(key)?.value ?? YAMLNode(.mapping([]), at: place)
    var inner = try ConfigurationReader(node, prefix: "\(prefix)\(key).", isDocumenting: isDocumenting)
    defer { documentation += inner.documentation }
    let result = try body(&inner)
    try inner.finish()
    if !inner.canonicalMembers.isEmpty { canonicalMembers[key] = inner.canonical }
    return result
  }

  /// Refuses keys that were not read.
  public func finish() throws { try refuseKeys(except: declared) }

  func refuseKeys(except known: [String]) throws {
    let former = formerSpellings.map(\.former)
    guard let unknownKey = entries.first(where: { !(known + former).contains($0.key) }) else { return }
    let parts = unknownKey.key.split(separator: ".", maxSplits: 1)
    let hint =
      if parts.count == 2 && sections.contains(String(parts[0])) {
        "in a file it is written '\(parts[0]): {\(parts[1]): ...}'"
      } else if case let inSections = keys(inSectionsCalled: unknownKey.key), !inSections.isEmpty {
        "did you mean \(inSections.map { "'\($0)'" }.joined(separator: " or "))?"
      } else if let near = nearest(to: unknownKey.key, in: known) {
        "did you mean '\(prefix)\(near)'?"
      } else {
        "known are \(known.joined(separator: ", "))"
      }
    throw Failure(.badConfiguration, "unknown key '\(prefix)\(unknownKey.key)'; \(hint)", at: "\(unknownKey.place)")
  }

  /// The keys of this name in the sections that were read.
  private func keys(inSectionsCalled name: String) -> [String] {
    documentation.map(\.key).filter { key in
      sections.contains { key == "\(prefix)\($0).\(name)" }
    }
  }

  /// A failure about the value of a key, for checks that concern several keys.
  ///
  /// It names the place of that key, or of the first of the others that was given. An option of the command line is named
  /// before a line of a file, because the file may be correct without the option.
  ///
  /// - Parameters:
  ///   - name: the name of the value in question, for keys that hold named values.
  ///   - others: the other keys that the check concerns.
  public func failure(
    _ key: String, under name: String? = nil, with others: [String] = [], _ message: String
  ) -> Failure {
    let places = ([key] + others).compactMap { entry($0)?.value.place(under: name) }
    let blamed = places.first { $0.isOption } ?? places.first ?? place
    return Failure(.badConfiguration, "\(prefix)\(key) \(message)", at: "\(blamed)")
  }

  /// The keys that the user wrote, in their order.
  public var givenKeys: [String] { entries.map(\.key) }

  /// Whether the user wrote the key, even with the value null.
  public func isGiven(_ key: String) -> Bool { entry(key) != nil }

  private func entry(_ key: String) -> YAMLEntry? { entries.first { $0.key == key } }

  private mutating func declare(_ key: String) {
    precondition(!declared.contains(key), "the key \(prefix)\(key) is read twice")
    declared.append(key)
  }

  private func given<Value>(_ key: String, as type: ConfigurationType<Value>) throws -> Value? {
    guard let node = entry(key)?.value else { return nil }
    do {
      return try type.decode(node)
    } catch {
      let remedy = remedy(error.node, of: node, as: type)
      throw Failure(
        .badConfiguration, "\(prefix)\(key) must be \(error.expectation), not \(error.node.abridged)\(remedy)",
        at: "\(error.node.place)")
    }
  }

  /// The correct spelling of a value that is refused for its spelling alone.
  private func remedy<Value>(_ culprit: YAMLNode, of node: YAMLNode, as type: ConfigurationType<Value>) -> String {
    // The user wrote no quotation marks around an option's value.
    let isWritten = !culprit.place.isOption || culprit.place.source.hasPrefix("--set ")
    if isWritten, node.isAccepted(by: type, with: { $0.isPlain ? nil : YAMLScalar($0.text, isPlain: true) }) {
      return ": it is a text because of its quotation marks; write it without them"
    }
    guard let scalar = culprit.scalar, let other = scalar.respelt,
      node.isAccepted(by: type, with: { $0.respelt })
    else { return "" }
    return "; write \(other.text)"
  }

  private func required<Value>(_ key: String, _ type: ConfigurationType<Value>) throws -> Value {
    if isDocumenting { return type.specimen }
    throw Failure(.badConfiguration, "\(prefix)\(key) is missing; it must be \(type.expectation)", at: "\(place)")
  }
}

extension YAMLNode {
  /// Whether a type would accept the value with other scalars; nil leaves a scalar unchanged.
  fileprivate func isAccepted<Value>(
    by type: ConfigurationType<Value>, with other: (YAMLScalar) -> YAMLScalar?
  ) -> Bool {
    (try? type.decode(mappingScalars { other($0) ?? $0 })) != nil
  }

  private func mappingScalars(_ change: (YAMLScalar) -> YAMLScalar) -> YAMLNode {
    switch content {
    case .scalar(let scalar): YAMLNode(.scalar(change(scalar)), at: place)
    case .sequence(let nodes): YAMLNode(.sequence(nodes.map { $0.mappingScalars(change) }), at: place)
    case .mapping(let entries):
      YAMLNode(
        .mapping(entries.map { YAMLEntry($0.key, at: $0.place, $0.value.mappingScalars(change)) }), at: place)
    }
  }

  /// The place of the value under a name, in a mapping or a list of mappings; without such a value, the place of the
  /// whole.
  fileprivate func place(under name: String?) -> Place {
    let entries = (sequence ?? [self]).flatMap { $0.mapping ?? [] }
    return entries.first { $0.key == name }?.value.place ?? place
  }
}
