import Files
import Torch

/// NumPy's `.npz`: a zip of `.npy` files, which `numpy.load` reads.
enum NumpyArchive {
  /// Writes tensors, as float32, and texts beside them: scalars that `str` takes for what they are.
  static func write(_ tensors: [NamedTensor], texts: [(name: String, text: String)], to path: String) throws {
    let archive = try ArchiveWriter(path, .zip)
    for named in tensors { try archive.add("\(named.name).npy", array(named.tensor)) }
    for (name, text) in texts { try archive.add("\(name).npy", array(text)) }
    try archive.close()
  }

  private static func array(_ tensor: Tensor) -> [UInt8] {
    header("<f4", shape: tensor.shape) + tensor.floats.withUnsafeBytes(Array.init)
  }

  /// NumPy keeps a text as code points of four bytes.
  private static func array(_ text: String) -> [UInt8] {
    let scalars = text.unicodeScalars.map(\.value)
    let bytes = scalars.flatMap { value in withUnsafeBytes(of: value.littleEndian, Array.init) }
    return header("<U\(scalars.count)", shape: []) + bytes
  }

  /// Version 1.0 of the format: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
  private static func header(_ type: String, shape: [Int]) -> [UInt8] {
    let sizes = shape.map { "\($0)," }.joined(separator: " ")
    var header = "{'descr': '\(type)', 'fortran_order': False, 'shape': (\(sizes)), }"
    // Magic, version, length and header together fill whole units of 64 bytes, and a line feed ends them.
    let prefix = 10
    header += String(repeating: " ", count: (64 - (prefix + header.utf8.count + 1) % 64) % 64) + "\n"
    let length = UInt16(header.utf8.count)
    return [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(length & 0xFF), UInt8(length >> 8)] + Array(header.utf8)
  }
}
