import Diagnostics
import JSON

/// The place of the text in a record: the name of a field, or names and numbers joined by points for nested objects and
/// arrays (`message.content`, `messages.0.content`).
///
/// A field whose own name contains the points takes precedence.
struct FieldPath: Sendable {
  let name: String

  init(_ name: String) { self.name = name }

  /// The reason why a record has no text at the path.
  struct Absence: Error {
    let reason: String
  }

  /// The text of a record, and the number of lone surrogates that became U+FFFD in it.
  func text(in record: JSON) throws(Absence) -> (text: String, replacements: Int) {
    guard record.objectValue != nil else {
      throw Absence(reason: "is \(record.kindName), not an object with the field '\(name)'")
    }
    var value = record
    var path: Substring? = name[...]
    while let rest = path { (value, path) = try step(into: value, rest) }
    switch value {
    case .string(let text): return (text, 0)
    case .unusable(.loneSurrogates(let count, let text)): return (text, count)
    default: throw Absence(reason: "the field '\(name)' holds \(value.kindName), not a text")
    }
  }

  /// The value at the first part of a path, and the other parts; nil if there are none.
  private func step(into value: JSON, _ path: Substring) throws(Absence) -> (JSON, Substring?) {
    if let whole = value[String(path)] { return (whole, nil) }
    let point = path.utf8.firstIndex(of: UInt8(ascii: "."))
    let part = String(path[..<(point ?? path.endIndex)])
    let rest = point.map { path[path.utf8.index(after: $0)...] }
    switch value {
    case .object(let object):
      guard let next = object[part] else { throw absence(of: part, in: object, path) }
      return (next, rest)
    case .array(let elements):
      guard let index = Int(part), elements.indices.contains(index) else {
        let size = counted(elements.count, "element")
        throw Absence(reason: "has no field '\(name)': '\(before(path))' is an array of \(size) and has no '\(part)'")
      }
      return (elements[index], rest)
    default:
      throw Absence(reason: "has no field '\(name)': '\(before(path))' holds \(value.kindName), not an object")
    }
  }

  /// The parts of the path that were found.
  private func before(_ path: Substring) -> Substring {
    path.startIndex == name.startIndex ? "" : name[..<name.utf8.index(before: path.startIndex)]
  }

  private func absence(of part: String, in object: JSONObject, _ path: Substring) -> Absence {
    let names = object.keys.prefix(20).map { "'\($0)'" }.joined(separator: ", ")
    let hint =
      nearest(to: part, in: object.keys).map { "did you mean '\($0)'?" }
      ?? (names.isEmpty ? "it has none" : "its fields are \(names)")
    let found = before(path)
    return Absence(
      reason: found.isEmpty
        ? "has no field '\(name)'; \(hint)" : "has no field '\(name)': '\(found)' has no '\(part)'; \(hint)")
  }
}
