import CZlib

/// Encodes pictures as PNG files (ISO/IEC 15948): 8 bits a channel, RGB, one image data chunk.
public enum PNG {
  /// - Parameters:
  ///   - rgb: width · height · 3 bytes by rows.
  ///   - width: at least 1.
  ///   - height: at least 1.
  public static func file(rgb: [UInt8], width: Int, height: Int) -> [UInt8] {
    precondition(
      width > 0 && height > 0 && rgb.count == width * height * 3, "\(rgb.count) bytes of \(width) x \(height)")
    let header = bigEndian(width) + bigEndian(height) + [8, 2, 0, 0, 0]
    return [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
      + chunk("IHDR", header) + chunk("IDAT", compressed(filtered(rgb, width: width, height: height)))
      + chunk("IEND", [])
  }

  /// Each row less the one above it (filter type 2), which suits flat areas.
  private static func filtered(_ rgb: [UInt8], width: Int, height: Int) -> [UInt8] {
    let length = width * 3
    var rows: [UInt8] = []
    rows.reserveCapacity((length + 1) * height)
    for row in 0..<height {
      rows.append(2)
      for column in 0..<length {
        let byte = rgb[row * length + column]
        rows.append(row == 0 ? byte : byte &- rgb[(row - 1) * length + column])
      }
    }
    return rows
  }

  private static func compressed(_ bytes: [UInt8]) -> [UInt8] {
    var size = compressBound(UInt(bytes.count))
    var result = [UInt8](repeating: 0, count: Int(size))
    let status = compress2(&result, &size, bytes, UInt(bytes.count), 9)
    precondition(status == Z_OK, "zlib: status \(status)")
    return Array(result[..<Int(size)])
  }

  private static func chunk(_ type: String, _ content: [UInt8]) -> [UInt8] {
    let body = Array(type.utf8) + content
    return bigEndian(content.count) + body + bigEndian(Int(crc32(0, body, UInt32(body.count))))
  }

  private static func bigEndian(_ number: Int) -> [UInt8] {
    (0..<4).map { UInt8(truncatingIfNeeded: number >> (24 - 8 * $0)) }
  }
}
