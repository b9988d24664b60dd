/// A PNG file of 8-bit RGB, not compressed, so that its bytes depend on no version of zlib.
///
/// - Parameter rgb: width x height x 3 bytes, at most 65,535 with a byte for each row.
public func pngFile(width: Int, height: Int, rgb: [UInt8]) -> [UInt8] {
  precondition(rgb.count == width * height * 3, "\(rgb.count) bytes of \(width) x \(height)")
  var rows: [UInt8] = []
  for y in 0..<height {
    rows.append(0)
    rows += rgb[y * width * 3..<(y + 1) * width * 3]
  }
  precondition(rows.count <= 0xFFFF, "\(rows.count) bytes")
  // One stored block (RFC 1951, 3.2.4) and Adler-32 (RFC 1950).
  let length = UInt16(rows.count)
  var stored: [UInt8] = [0x78, 0x01, 1]
  stored += littleEndian(length)
  stored += littleEndian(~length)
  stored += rows
  var (a, b) = (1, 0)
  for byte in rows {
    a = (a + Int(byte)) % 65_521
    b = (b + a) % 65_521
  }
  stored += bigEndian(b << 16 | a)
  var header = bigEndian(width)
  header += bigEndian(height)
  header += [8, 2, 0, 0, 0] as [UInt8]
  var file: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
  file += chunk("IHDR", header)
  file += chunk("IDAT", stored)
  file += chunk("IEND", [])
  return resealedPNG(file)
}

/// Without its checksum.
private func chunk(_ name: String, _ content: [UInt8]) -> [UInt8] {
  var bytes = bigEndian(content.count)
  bytes += name.utf8
  bytes += content
  bytes += [0, 0, 0, 0] as [UInt8]
  return bytes
}

private func bigEndian(_ number: Int) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: number >> (24 - 8 * $0)) } }

private func littleEndian(_ number: UInt16) -> [UInt8] { [UInt8(number & 0xFF), UInt8(number >> 8)] }

/// A PNG file, however damaged, with the right CRC-32 behind each chunk that is whole. Without it the checksums would refuse
/// nearly all damage first.
public func resealedPNG(_ bytes: [UInt8]) -> [UInt8] {
  var bytes = bytes
  var place = 8
  while place + 12 <= bytes.count {
    let length = bytes[place..<place + 4].reduce(0) { $0 << 8 | Int($1) }
    let end = place + 8 + length
    guard end + 4 <= bytes.count else { break }
    let sum = crc32(bytes[place + 4..<end])
    for index in 0..<4 { bytes[end + index] = UInt8(truncatingIfNeeded: sum >> UInt32(24 - 8 * index)) }
    place = end + 4
  }
  return bytes
}

/// ISO 3309, as in PNG.
private func crc32(_ bytes: ArraySlice<UInt8>) -> UInt32 {
  ~bytes.reduce(~0) { sum, byte in
    (0..<8).reduce(sum ^ UInt32(byte)) { sum, _ in sum & 1 == 1 ? sum >> 1 ^ 0xEDB8_8320 : sum >> 1 }
  }
}
