/// Encodes arrays as NumPy's `.npy` files, version 1.0 of the format:
/// https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
public enum NumpyArray {
  /// The header of an array of float32 in row-major order.
  public static func floatHeader(shape: [Int]) -> [UInt8] { header("<f4", shape: shape) }

  /// The header of an array of uint8 in row-major order. It has 128 bytes for every shape of at most four dimensions,
  /// so it can be replaced once the number of rows is known.
  public static func byteHeader(shape: [Int]) -> [UInt8] {
    let header = header("|u1", shape: shape)
    precondition(header.count == byteHeaderSize || shape.count > 4, "a header of \(header.count) bytes")
    return header
  }

  /// The size of ``byteHeader(shape:)``, in bytes.
  public static let byteHeaderSize = 128

  /// A whole file: a text as an array without dimensions, which Python's `str` turns back into the text.
  public static func file(_ text: String) -> [UInt8] {
    // NumPy keeps a text as code points of four bytes.
    let scalars = text.unicodeScalars.map(\.value)
    let bytes = scalars.flatMap { value in withUnsafeBytes(of: value.littleEndian, Array.init) }
    return header("<U\(scalars.count)", shape: []) + bytes
  }

  private static func header(_ type: String, shape: [Int]) -> [UInt8] {
    let sizes = shape.map { "\($0)," }.joined(separator: " ")
    var header = "{'descr': '\(type)', 'fortran_order': False, 'shape': (\(sizes)), }"
    // Magic, version, length and header together fill whole units of 64 bytes, and a line feed ends them.
    let prefix = 10
    let unit = type == "|u1" ? byteHeaderSize : 64
    header += String(repeating: " ", count: (unit - (prefix + header.utf8.count + 1) % unit) % unit) + "\n"
    let length = UInt16(header.utf8.count)
    return [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(length & 0xFF), UInt8(length >> 8)] + Array(header.utf8)
  }
}
