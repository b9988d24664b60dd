import Diagnostics
import Glibc

/// The text of a YAML file, which has to be UTF-8.
enum YAMLBytes {
  /// - Throws: `Failure(.badConfiguration)` that names the encoding, where it can be told, and the command that helps.
  static func text(ofFile path: String, limit: Int) throws -> String {
    guard let file = fopen(path, "re") else { throw Failure.system("cannot read", path) }
    defer { fclose(file) }
    var bytes = [UInt8](repeating: 0, count: limit + 1)
    let count = fread(&bytes, 1, bytes.count, file)
    if ferror(file) != 0 {
      if errno == EISDIR { throw Failure(.missingInput, "is a folder, and a file is needed", at: path) }
      throw Failure.system("cannot read", path)
    }
    guard count <= limit else {
      throw Failure(.badConfiguration, "larger than 1 MiB, so it can hardly be a configuration", at: path)
    }
    return try text(bytes.prefix(count), path)
  }

  private static func text(_ bytes: ArraySlice<UInt8>, _ path: String) throws -> String {
    // These are valid UTF-8 in part, with zeros between the letters.
    if let encoding = wideEncoding(bytes) {
      throw Failure(
        .badConfiguration, "is \(encoding), and UTF-8 is needed; 'iconv -f \(encoding) -t UTF-8' makes it so", at: path)
    }
    let mark: [UInt8] = [0xEF, 0xBB, 0xBF]  // The byte-order mark that some editors write.
    if let text = String(validating: bytes.trimmingPrefix(mark), as: UTF8.self) { return text }
    let position = firstInvalid(bytes)
    let line = 1 + bytes.prefix(position).count { $0 == UInt8(ascii: "\n") }
    let byte = String(bytes[bytes.startIndex + position], radix: 16, uppercase: true)
    throw Failure(
      .badConfiguration,
      "not valid UTF-8 (byte 0x\(byte)); if it is Western European text, 'iconv -f WINDOWS-1252 -t UTF-8' makes it so",
      at: "\(Place(path, line: line))")
  }

  /// UTF-16 or UTF-32 by its mark, or by the zeros in its first character, which is ASCII in every YAML file of ours.
  private static func wideEncoding(_ bytes: ArraySlice<UInt8>) -> String? {
    let start = Array(bytes.prefix(4))
    if start == [0xFF, 0xFE, 0, 0] || start == [0, 0, 0xFE, 0xFF] { return "UTF-32" }
    if start.starts(with: [0xFF, 0xFE]) || start.starts(with: [0xFE, 0xFF]) { return "UTF-16" }
    guard start.count >= 2, start.prefix(2).contains(0), start.prefix(4).contains(where: { $0 != 0 }) else {
      return nil
    }
    let isWide = start.count == 4 && start.count { $0 == 0 } == 3
    return (isWide ? "UTF-32" : "UTF-16") + (start[0] == 0 ? "BE" : "LE")
  }

  private static func firstInvalid(_ bytes: ArraySlice<UInt8>) -> Int {
    var parser = UTF8.ForwardParser()
    var (iterator, position) = (bytes.makeIterator(), 0)
    while case .valid(let encoded) = parser.parseScalar(from: &iterator) { position += encoded.count }
    return position
  }
}
