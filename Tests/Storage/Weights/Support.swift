import Foundation
import TestSupport
import Weights

/// A safetensors file with any header and any data, whether they fit or not.
func file(header: String, data: [UInt8] = []) -> [UInt8] {
  withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian, Array.init) + Array(header.utf8) + data
}

/// Opens bytes as a safetensors file.
func opening(_ bytes: [UInt8]) throws -> SafetensorsFile {
  let folder = try TemporaryFolder()
  return try withExtendedLifetime(folder) {
    let path = folder("test.safetensors")
    try Data(bytes).write(to: URL(filePath: path))
    return try SafetensorsFile(path)
  }
}
