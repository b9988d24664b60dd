import Diagnostics
import Files
import ModelFiles
import Torch
import WireFormats

/// Rows of numbers in a `.npy` file, read when they are asked for.
struct NumpyRows {
  private enum Element: String, CaseIterable {
    case half = "<f2"
    case single = "<f4"
    case double = "<f8"

    var size: Int {
      switch self {
      case .half: 2
      case .single: 4
      case .double: 8
      }
    }
  }

  let count: Int
  let width: Int
  var path: String { file.path }
  private let file: MappedFile
  private let element: Element
  private let offset: Int

  /// - Throws: `Failure(.badData)` for anything but a file of a matrix of floating-point numbers in row-major order.
  init(_ path: String) throws {
    file = try MappedFile(path)
    let header = try NumpyHeader(file.bytes, source: path)
    guard let element = Element(rawValue: header.type), header.shape.count == 2, !header.isColumnMajor else {
      throw Failure(
        .badData,
        "holds \(header.type) \(header.shape)\(header.isColumnMajor ? " in column-major order" : ""); a matrix of "
          + "<f2, <f4 or <f8 in row-major order is needed (numpy.save of numpy.ascontiguousarray)", at: path)
    }
    (count, width) = (header.shape[0], header.shape[1])
    guard count > 0, width > 0, file.count - header.offset == (try header.count(source: path, of: element.size)) else {
      throw Failure(.badData, "has \(file.count) bytes, which are not those of its shape \(header.shape)", at: path)
    }
    (self.element, offset) = (element, header.offset)
  }

  /// The bytes of a row as they are stored.
  func bytes(_ row: Int) -> UnsafeRawBufferPointer {
    let size = width * element.size
    let start = offset + row * size
    return UnsafeRawBufferPointer(rebasing: file.bytes[start..<start + size])
  }

  /// Some rows, float32 [rows, width].
  func callAsFunction(_ rows: [Int]) -> Tensor {
    let numbers = rows.flatMap { row -> [Float] in
      let bytes = bytes(row)
      return (0..<width).map { column in
        let place = column * element.size
        return switch element {
        case .half: Float(half: bytes.loadUnaligned(fromByteOffset: place, as: UInt16.self))
        case .single: bytes.loadUnaligned(fromByteOffset: place, as: Float.self)
        case .double: Float(bytes.loadUnaligned(fromByteOffset: place, as: Double.self))
        }
      }
    }
    return Tensor(numbers, shape: [rows.count, width])
  }
}

/// The picture of each caption, from a `.npy` file of whole numbers.
enum NumpyMap {
  /// - Throws: `Failure(.badData)` for anything but `captions` numbers below `pictures`.
  static func read(_ path: String, captions: Int, pictures: Int) throws -> [Int] {
    let file = try MappedFile(path)
    let header = try NumpyHeader(file.bytes, source: path)
    guard ["<i4", "<i8"].contains(header.type), header.shape == [captions] else {
      throw Failure(
        .badData, "holds \(header.type) \(header.shape); the picture of each caption is needed, <i8 [\(captions)]",
        at: path)
    }
    let size = header.type == "<i4" ? 4 : 8
    guard file.count - header.offset == captions * size else {
      throw Failure(.badData, "has \(file.count) bytes, which are not those of its shape \(header.shape)", at: path)
    }
    return try (0..<captions).map { caption in
      let place = header.offset + caption * size
      let picture =
        size == 4
        ? Int(file.bytes.loadUnaligned(fromByteOffset: place, as: Int32.self))
        : file.bytes.loadUnaligned(fromByteOffset: place, as: Int.self)
      guard (0..<pictures).contains(picture) else {
        throw Failure(.badData, "caption \(caption) belongs to picture \(picture) of \(pictures)", at: path)
      }
      return picture
    }
  }
}

extension NumpyHeader {
  /// The bytes of all elements of a size.
  fileprivate func count(source: String, of size: Int) throws -> Int {
    let (bytes, overflow) = try count(source: source).multipliedReportingOverflow(by: size)
    guard !overflow else { throw Failure(.badData, "its shape \(shape) is too large", at: source) }
    return bytes
  }
}
