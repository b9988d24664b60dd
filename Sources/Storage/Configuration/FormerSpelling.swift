import Diagnostics
import JSON

/// The former spelling of a key. It is still read. Canonical configurations keep it, because they enter the keys of
/// artifacts. Documentation and messages use the present spelling alone.
public struct FormerSpelling: Sendable {
  let former: String
  /// The sections, if any, and the key.
  fileprivate let present: [String]
  fileprivate let decode: @Sendable (YAMLScalar) -> String?
  fileprivate let encode: @Sendable (JSON) -> JSON?

  /// - Parameters:
  ///   - present: the key, after `SECTION.` if it is now in one.
  ///   - decode: the present text for a former value; nil for a value that has not changed.
  ///   - encode: the former value for a present canonical value; nil for a value without a former spelling, which stays
  ///     under the present key.
  public init(
    _ former: String, of present: String, decode: @escaping @Sendable (YAMLScalar) -> String? = { _ in nil },
    encode: @escaping @Sendable (JSON) -> JSON? = { $0 }
  ) {
    self.former = former
    self.present = present.split(separator: ".").map(String.init)
    precondition((1...2).contains(self.present.count), "one section at most")
    self.decode = decode
    self.encode = encode
  }
}

extension [FormerSpelling] {
  /// The entries of a configuration in the present spelling.
  ///
  /// - Throws: where a key is given in both spellings, unless one of them is an option of the command line.
  func present(_ entries: [YAMLEntry]) throws -> [YAMLEntry] {
    try reduce(entries) { try $1.present($0) }
  }

  /// The members of a canonical configuration in the former spelling, each at the place of the present one.
  func former(_ members: JSONObject) -> JSONObject {
    var result = JSONObject()
    for (key, value) in members {
      if let spelling = first(where: { $0.present == [key] }) {
        spelling.write(value, to: &result)
      } else if let section = value.objectValue, contains(where: { $0.present.count == 2 && $0.present[0] == key }) {
        for (inner, value) in section {
          if let spelling = first(where: { $0.present == [key, inner] }) {
            spelling.write(value, to: &result)
          } else {
            result.insert(value, at: [key, inner])
          }
        }
      } else {
        result[key] = value
      }
    }
    return result
  }
}

extension FormerSpelling {
  fileprivate func write(_ value: JSON, to members: inout JSONObject) {
    if let former = encode(value) { members[self.former] = former } else { members.insert(value, at: present) }
  }

  fileprivate func present(_ entries: [YAMLEntry]) throws -> [YAMLEntry] {
    guard let old = entries.first(where: { $0.key == former }) else { return entries }
    let others = entries.filter { $0.key != former }
    let moved = YAMLEntry(
      present.last!, at: old.place,
      old.value.scalar.flatMap(decode).map {
        YAMLNode.plain($0, at: old.value.place)
      } ?? old.value)
    guard present.count == 2 else { return try added(moved, to: others) }
    let section = others.first { $0.key == present[0] }
    // A value that is not a section is refused when the section is read.
    guard let inner = section.map({ $0.value.isNull ? [] : $0.value.mapping }) ?? [] else { return others }
    let node = YAMLNode(.mapping(try added(moved, to: inner)), at: section?.value.place ?? old.value.place)
    return others.filter { $0.key != present[0] } + [YAMLEntry(present[0], at: section?.place ?? old.place, node)]
  }

  private func added(_ moved: YAMLEntry, to entries: [YAMLEntry]) throws -> [YAMLEntry] {
    guard let other = entries.first(where: { $0.key == moved.key }) else { return entries + [moved] }
    switch (moved.value.place.isOption, other.value.place.isOption) {
    case (false, true): return entries
    case (true, false): return entries.filter { $0.key != moved.key } + [moved]
    default:
      throw Failure(
        .badConfiguration, "\(former) is the former spelling of \(present.joined(separator: ".")); give one of them",
        at: "\(moved.value.place)")
    }
  }
}

extension JSONObject {
  fileprivate mutating func insert(_ value: JSON, at path: [String]) {
    guard path.count == 2 else {
      self[path[0]] = value
      return
    }
    var section = self[path[0]]?.objectValue ?? JSONObject()
    section[path[1]] = value
    self[path[0]] = .object(section)
  }
}
