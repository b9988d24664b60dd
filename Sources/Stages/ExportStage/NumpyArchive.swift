import Artifacts
import Torch

/// NumPy's `.npz`: a zip of `.npy` files, which `numpy.load` reads.
enum NumpyArchive {
  /// Writes tensors, as float32, and a text beside them.
  static func write(_ tensors: [NamedTensor], texts: [(name: String, text: String)], to path: String) throws {
    let archive = try ArchiveWriter(path, .zip)
    for named in tensors { try archive.add("\(named.name).npy", array(named.tensor)) }
    for (name, text) in texts { try archive.add(name, text) }
    try archive.close()
  }

  /// Version 1.0 of the format: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
  private static func array(_ tensor: Tensor) -> [UInt8] {
    let shape = tensor.shape.map { "\($0)," }.joined(separator: " ")
    var header = "{'descr': '<f4', 'fortran_order': False, 'shape': (\(shape)), }"
    // Magic, version, length and header together fill whole units of 64 bytes, and a line feed ends them.
    let prefix = 10
    header += String(repeating: " ", count: (64 - (prefix + header.utf8.count + 1) % 64) % 64) + "\n"
    let length = UInt16(header.utf8.count)
    let start: [UInt8] = [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(length & 0xFF), UInt8(length >> 8)]
    return start + Array(header.utf8) + tensor.floats.withUnsafeBytes(Array.init)
  }
}
