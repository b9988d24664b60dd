import CPictures
import Diagnostics
import Glibc

/// A decoded picture: 8 bits a channel, upright, without transparency.
public struct Picture: Equatable, Sendable {
  public let width: Int
  public let height: Int
  /// height x width x 3 bytes: rows from the top, each pixel red, green, blue.
  public let rgb: [UInt8]

  public init(width: Int, height: Int, rgb: [UInt8]) {
    precondition(
      width > 0 && height > 0 && rgb.count == width * height * 3, "\(rgb.count) bytes for \(width) x \(height)")
    (self.width, self.height, self.rgb) = (width, height, rgb)
  }

  /// Decodes the first picture of a JPEG, PNG, WebP or GIF file, turned by its EXIF data, on white.
  ///
  /// - Parameter pixelLimit: the most pixels accepted; checked before anything is decoded.
  /// - Throws: `Failure(.badData)` without a place for a file that cannot be used, `.unavailable` where memory ran out.
  public init(decoding file: [UInt8], pixelLimit: Int) throws {
    var picture = cpictures_picture()
    var message = [CChar](repeating: 0, count: Int(cpictures_message_size))
    let outcome = file.withUnsafeBytes { bytes in
      cpictures_decode(
        bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), bytes.count, pixelLimit, &picture, &message)
    }
    defer { free(picture.rgb) }
    guard outcome != 2 else { throw Failure(.unavailable, "memory ran out while a picture was decoded") }
    guard outcome == 0, let rgb = picture.rgb else {
      let words = message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
      throw Failure(.badData, String(decoding: words, as: UTF8.self))
    }
    let count = picture.width * picture.height * 3
    self.init(
      width: picture.width, height: picture.height, rgb: [UInt8](UnsafeBufferPointer(start: rgb, count: count)))
  }
}
