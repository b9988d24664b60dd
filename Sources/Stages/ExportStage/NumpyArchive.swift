import Files
import Torch
import WireFormats

/// NumPy's `.npz`: a zip of `.npy` files, which `numpy.load` reads.
enum NumpyArchive {
  /// Writes tensors, as float32, and texts beside them.
  static func write(_ tensors: [NamedTensor], texts: [(name: String, text: String)], to path: String) throws {
    let archive = try ArchiveWriter(path, .zip)
    for named in tensors {
      let bytes = named.tensor.floats.withUnsafeBytes { [UInt8]($0) }
      try archive.add("\(named.name).npy", NumpyArray.floatHeader(shape: named.tensor.shape) + bytes)
    }
    for (name, text) in texts { try archive.add("\(name).npy", NumpyArray.file(text)) }
    try archive.close()
  }
}
