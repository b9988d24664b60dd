import Diagnostics
import Files

/// A GGUF file's place among the parts of one model, as `llama-gguf-split` cuts it: `NAME-00001-of-00003.gguf`, of which the
/// first holds the metadata.
struct GGUFSplit: Equatable {
  /// The path before `-00001-of-00003.gguf`.
  let prefix: String
  /// From 1.
  let number: Int
  let count: Int

  /// The name has five digits.
  private static let most = 99_999
  static let countKey = "split.count"
  static let numberKey = "split.no"
  static let tensorsKey = "split.tensors.count"

  /// Parses a file's name; nil for a name of another form.
  init?(nameOf path: String) {
    let bytes = Array(path.utf8)
    let form = Array("-00000-of-00000.gguf".utf8)
    guard bytes.count > form.count else { return nil }
    let end = bytes.suffix(form.count)
    func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
    guard zip(end, form).allSatisfy({ $1 == UInt8(ascii: "0") ? isDigit($0) : $0 == $1 }) else { return nil }
    func number(_ place: Int) -> Int {
      end.dropFirst(place).prefix(5).reduce(0) { 10 * $0 + Int($1 - UInt8(ascii: "0")) }
    }
    prefix = String(decoding: bytes.dropLast(form.count), as: UTF8.self)
    (self.number, count) = (number(1), number(10))
    guard (1...max(1, count)).contains(self.number) else { return nil }
  }

  /// The file of a part, from 1.
  func part(_ number: Int) -> ModelSource.File {
    let name = "\(Self.padded(number))-of-\(Self.padded(count))"
    return ModelSource.File(name: name, path: "\(prefix)-\(name).gguf")
  }

  private static func padded(_ number: Int) -> String {
    String(repeating: "0", count: 5 - "\(number)".utf8.count) + "\(number)"
  }

  /// The command that makes one file of all parts.
  static func remedy(_ first: String) -> String { "join the parts with: llama-gguf-split --merge \(first) JOINED.gguf" }
}

extension GGUFSplit {
  /// The further parts of the model whose first part has this metadata; empty for a model in one file.
  ///
  /// - Throws: `Failure` with `.badData` unless the file is the first part and its name has the form from which those of
  ///   the others follow; with `.missingInput` where one does not exist.
  static func furtherParts(of metadata: GGUFMetadata) throws -> [ModelSource.File] {
    guard let count = try metadata.integer(ifPresent: countKey), count != 1, count != 0 else { return [] }
    guard (2...most).contains(count) else { throw metadata.failure(countKey, "is \(count), not a number of parts") }
    let number = try metadata.integer(ifPresent: numberKey) ?? 0
    let split = GGUFSplit(nameOf: metadata.path)
    guard number == 0 else {
      let first = split.map { "; give the first, \($0.part(1).path)" } ?? ""
      throw Failure(.badData, "is part \(number + 1) of a model in \(count) parts\(first)", at: metadata.path)
    }
    guard let split, split.number == 1, split.count == count else {
      throw Failure(
        .badData,
        "is the first part of a model in \(count) parts, which are called NAME-00001-of-\(padded(count)).gguf and "
          + "so on; \(remedy("NAME-00001-of-\(padded(count)).gguf"))", at: metadata.path)
    }
    return try (2...count).map { number in
      let part = split.part(number)
      guard Files.exists(part.path) else {
        throw Failure(
          .missingInput, "part \(number) of \(count) of the model is missing beside \(metadata.path)", at: part.path)
      }
      return part
    }
  }
}
