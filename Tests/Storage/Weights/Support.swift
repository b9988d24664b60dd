import Foundation
import Weights

/// Runs a test's body in a temporary folder, which is removed afterwards.
func withTemporaryFolder<Result>(_ body: (String) throws -> Result) throws -> Result {
  let folder = FileManager.default.temporaryDirectory.appending(path: "weights-\(UUID().uuidString)")
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  return try body(folder.path)
}

/// A safetensors file with any header and any data, whether they fit or not.
func file(header: String, data: [UInt8] = []) -> [UInt8] {
  withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian, Array.init) + Array(header.utf8) + data
}

/// Opens bytes as a safetensors file.
func opening(_ bytes: [UInt8]) throws -> SafetensorsFile {
  try withTemporaryFolder { folder in
    let path = folder + "/test.safetensors"
    try Data(bytes).write(to: URL(filePath: path))
    return try SafetensorsFile(path)
  }
}
