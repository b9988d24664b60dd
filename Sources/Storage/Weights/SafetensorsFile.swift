import Diagnostics
import Files

/// A safetensors file, mapped into memory. Opening reads the header only; a tensor's bytes are read when they are used.
///
/// Opening checks the whole header, so that no later access can leave the file; a damaged file is refused with `.badData`,
/// its path and the field at fault. Nothing in a file is ever executed.
public final class SafetensorsFile: Sendable {
  public let path: String
  /// The free strings under `__metadata__`.
  public let metadata: [String: String]
  /// The tensors in the order of the data.
  public let entries: [SafetensorsEntry]
  /// By the bytes of the name: Swift's strings are equal where only the composition of a letter differs.
  private let byName: [[UInt8]: Int]

  /// - Throws: `Failure` with `.missingInput`, `.inputOutput` or `.badData`.
  public init(_ path: String) throws {
    let file = try MappedFile(path)
    let length = try file.integer(UInt64.self, at: 0, "the header's length")
    guard length <= SafetensorsHeader.maximumLength else {
      throw Failure(.badData, "is no safetensors file: its header would have \(length) bytes", at: path)
    }
    let text = Array(try file.bytes(at: 8, count: Int(length), "the header"))
    let dataStart = 8 + text.count
    guard text.first == UInt8(ascii: "{") else {
      throw Failure(.badData, "the header does not begin with {", at: path)
    }
    let header = try SafetensorsHeader(parsing: text, dataSize: file.count - dataStart, path: path)
    self.path = path
    metadata = header.metadata
    entries = header.places.map { place in
      let bytes = (place.bytes.lowerBound + dataStart)..<(place.bytes.upperBound + dataStart)
      return SafetensorsEntry(description: place.description, file: file, bytes: bytes)
    }
    byName = Dictionary(uniqueKeysWithValues: entries.enumerated().map { (Array($1.name.utf8), $0) })
  }

  public subscript(name: String) -> SafetensorsEntry? { byName[Array(name.utf8)].map { entries[$0] } }

  /// The tensor `name`, which must exist and have the type and shape, where given.
  ///
  /// - Parameter shape: sizes that must match; nil stands for a dimension of any size.
  public func entry(
    _ name: String, type: ElementType? = nil, shape: [Int?]? = nil
  ) throws -> SafetensorsEntry {
    guard let entry = self[name] else {
      let hint = nearest(to: name, in: entries.map(\.name)).map { "; there is \"\($0)\"" } ?? ""
      throw Failure(.badData, "holds no tensor \"\(name)\"\(hint)", at: path)
    }
    if let type, entry.type != type {
      throw Failure(.badData, "is \(entry.type.rawValue), expected \(type.rawValue)", at: entry.place)
    }
    if let shape, !entry.matches(shape) {
      let wanted = shape.map { $0.map(String.init) ?? "any" }.joined(separator: ", ")
      throw Failure(.badData, "has shape \(entry.shape), expected [\(wanted)]", at: entry.place)
    }
    return entry
  }
}
