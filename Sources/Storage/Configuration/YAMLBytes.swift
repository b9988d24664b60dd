import Diagnostics
import Files
import Glibc

/// The text of a YAML file, which has to be UTF-8.
enum YAMLBytes {
  /// - Throws: `Failure(.badConfiguration)` that names the encoding, if it can be recognised, and the command that
  ///   converts it.
  static func text(ofFile path: String, limit: Int) throws -> String {
    guard let file = fopen(path, "re") else { throw Failure.system("cannot read", path) }
    defer { fclose(file) }
    var bytes = [UInt8](repeating: 0, count: limit + 1)
    let count = fread(&bytes, 1, bytes.count, file)
    if ferror(file) != 0 {
      if errno == EISDIR { throw Failure(.missingInput, "is a folder; a file is needed", at: path) }
      throw Failure.system("cannot read", path)
    }
    guard count <= limit else {
      throw Failure(.badConfiguration, "larger than 1 MiB, so it can hardly be a configuration", at: path)
    }
    return try text(bytes.prefix(count), path)
  }

  private static func text(_ bytes: ArraySlice<UInt8>, _ path: String) throws -> String {
    // Wide encodings are valid UTF-8 in part, with zeros between the letters.
    if let wide = EncodingGuess(beginning: bytes, sample: []) {
      throw Failure(.badConfiguration, "not UTF-8; \(wide.advice)", at: path)
    }
    let mark: [UInt8] = [0xEF, 0xBB, 0xBF]  // The byte-order mark that some editors write.
    if let text = String(validating: bytes.trimmingPrefix(mark), as: UTF8.self) { return text }
    let position = firstInvalid(bytes)
    let line = 1 + bytes.prefix(position).count { $0 == UInt8(ascii: "\n") }
    let byte = String(bytes[bytes.startIndex + position], radix: 16, uppercase: true)
    let guess = EncodingGuess(beginning: bytes, sample: bytes.dropFirst(max(0, position - 256)))
    throw Failure(
      .badConfiguration, "not valid UTF-8 (byte 0x\(byte)); \(guess?.advice ?? "save the file as UTF-8")",
      at: "\(Place(path, line: line))")
  }

  private static func firstInvalid(_ bytes: ArraySlice<UInt8>) -> Int {
    var parser = UTF8.ForwardParser()
    var (iterator, position) = (bytes.makeIterator(), 0)
    while case .valid(let encoded) = parser.parseScalar(from: &iterator) { position += encoded.count }
    return position
  }
}
