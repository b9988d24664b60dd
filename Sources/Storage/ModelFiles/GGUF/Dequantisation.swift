// The names of the types are those of GGUF.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

/// Converts blocks to float32 with the operations of ggml and the `gguf` package in the same order: equal to the last bit.
enum Dequantisation {
  /// - Parameters:
  ///   - input: of any alignment.
  ///   - count: how many blocks.
  static func blocks(
    _ type: GGUFTensorType, _ input: UnsafeRawPointer, count: Int, to output: UnsafeMutablePointer<Float>
  ) {
    switch type {
    case .float32: UnsafeMutableRawPointer(output).copyMemory(from: input, byteCount: 4 * count)
    case .float16: for i in 0..<count { output[i] = half(input, 2 * i) }
    case .bfloat16:
      for i in 0..<count {
        let bits = input.loadUnaligned(fromByteOffset: 2 * i, as: UInt16.self)
        output[i] = Float(bitPattern: UInt32(UInt16(littleEndian: bits)) << 16)
      }
    case .q4_0: each(type, input, count, output, q4_0)
    case .q4_1: each(type, input, count, output, q4_1)
    case .q5_0: each(type, input, count, output, q5_0)
    case .q5_1: each(type, input, count, output, q5_1)
    case .q8_0: each(type, input, count, output, q8_0)
    case .q2K: each(type, input, count, output, q2K)
    case .q3K: each(type, input, count, output, q3K)
    case .q4K: each(type, input, count, output, q4K)
    case .q5K: each(type, input, count, output, q5K)
    case .q6K: each(type, input, count, output, q6K)
    }
  }

  private typealias Output = UnsafeMutablePointer<Float>

  @inline(__always)
  private static func each(
    _ type: GGUFTensorType, _ input: UnsafeRawPointer, _ count: Int, _ output: Output,
    _ block: (UnsafePointer<UInt8>, Output) -> Void
  ) {
    let bytes = input.assumingMemoryBound(to: UInt8.self)
    for i in 0..<count { block(bytes + i * type.blockSize, output + i * type.blockCount) }
  }

  @inline(__always)
  private static func half(_ bytes: UnsafeRawPointer, _ offset: Int) -> Float {
    Float(half: UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt16.self)))
  }

  // MARK: Blocks of 32

  /// scale · (nibble - 8): f16 scale, 16 bytes whose low halves come first.
  private static func q4_0(_ block: UnsafePointer<UInt8>, _ output: Output) {
    let d = half(block, 0)
    for i in 0..<16 {
      let byte = block[2 + i]
      output[i] = d * Float(Int(byte & 15) - 8)
      output[i + 16] = d * Float(Int(byte >> 4) - 8)
    }
  }

  /// scale · nibble + minimum.
  private static func q4_1(_ block: UnsafePointer<UInt8>, _ output: Output) {
    let (d, m) = (half(block, 0), half(block, 2))
    for i in 0..<16 {
      let byte = block[4 + i]
      output[i] = d * Float(byte & 15) + m
      output[i + 16] = d * Float(byte >> 4) + m
    }
  }

  /// scale · (five bits - 16): the fifth bits stand together in 32 bits before the nibbles.
  private static func q5_0(_ block: UnsafePointer<UInt8>, _ output: Output) {
    let d = half(block, 0)
    let high = fifthBits(block + 2)
    for i in 0..<16 {
      let byte = UInt32(block[6 + i])
      output[i] = d * Float(Int(byte & 15 | (high >> UInt32(i) & 1) << 4) - 16)
      output[i + 16] = d * Float(Int(byte >> 4 | (high >> UInt32(i + 16) & 1) << 4) - 16)
    }
  }

  /// scale · five bits + minimum.
  private static func q5_1(_ block: UnsafePointer<UInt8>, _ output: Output) {
    let (d, m) = (half(block, 0), half(block, 2))
    let high = fifthBits(block + 4)
    for i in 0..<16 {
      let byte = UInt32(block[8 + i])
      output[i] = d * Float(byte & 15 | (high >> UInt32(i) & 1) << 4) + m
      output[i + 16] = d * Float(byte >> 4 | (high >> UInt32(i + 16) & 1) << 4) + m
    }
  }

  @inline(__always)
  private static func fifthBits(_ bytes: UnsafePointer<UInt8>) -> UInt32 {
    UInt32(littleEndian: UnsafeRawPointer(bytes).loadUnaligned(as: UInt32.self))
  }

  private static func q8_0(_ block: UnsafePointer<UInt8>, _ output: Output) {
    let d = half(block, 0)
    for i in 0..<32 { output[i] = Float(Int8(bitPattern: block[2 + i])) * d }
  }

  // MARK: Blocks of 256, in parts with scales of their own

  /// Sixteen parts of 16: scale nibble and minimum nibble each, then two bits a number.
  private static func q2K(_ block: UnsafePointer<UInt8>, _ output: Output) {
    let (scales, bits) = (block, block + 16)
    let (d, minimum) = (half(block, 80), half(block, 82))
    for part in 0..<16 {
      let scale = d * Float(scales[part] & 15)
      let offset = minimum * Float(scales[part] >> 4)
      let (half, shift, start) = (part / 8, UInt8(part % 8 / 2 * 2), part % 2 * 16)
      for i in 0..<16 {
        let q = bits[half * 32 + start + i] >> shift & 3
        output[part * 16 + i] = scale * Float(q) - offset
      }
    }
  }

  /// Sixteen parts of 16: a third bit for each number, two bits each, then six-bit scales.
  private static func q3K(_ block: UnsafePointer<UInt8>, _ output: Output) {
    let (third, bits, scales) = (block, block + 32, block + 96)
    let d = half(block, 108)
    for part in 0..<16 {
      let low = part < 8 ? scales[part] & 15 : scales[part - 8] >> 4
      let high = scales[8 + part % 4] >> UInt8(part / 4 * 2) & 3
      let scale = d * Float(Int(low | high << 4) - 32)
      let (half, group, start) = (part / 8, UInt8(part % 8 / 2), part % 2 * 16)
      let bit = UInt8(half * 4) + group
      for i in 0..<16 {
        let q = Int(bits[half * 32 + start + i] >> (2 * group) & 3)
        // 4 is subtracted where the bit is clear, not where it is set.
        let isSet = third[start + i] >> bit & 1 == 1
        output[part * 16 + i] = scale * Float(isSet ? q : q - 4)
      }
    }
  }

  /// The six-bit scale and minimum of one of eight parts, packed into twelve bytes.
  @inline(__always)
  private static func scaleAndMinimum(_ packed: UnsafePointer<UInt8>, _ part: Int) -> (scale: UInt8, minimum: UInt8) {
    if part < 4 { return (packed[part] & 63, packed[part + 4] & 63) }
    return (
      packed[part + 4] & 15 | packed[part - 4] >> 2 & 0x30, packed[part + 4] >> 4 | packed[part] >> 2 & 0x30
    )
  }

  /// Eight parts of 32, four bits a number.
  private static func q4K(_ block: UnsafePointer<UInt8>, _ output: Output) {
    let (d, minimum) = (half(block, 0), half(block, 2))
    let bits = block + 16
    for part in 0..<8 {
      let packed = scaleAndMinimum(block + 4, part)
      let scale = d * Float(packed.scale)
      let offset = minimum * Float(packed.minimum)
      let shift = UInt8(part % 2 * 4)
      for i in 0..<32 {
        output[part * 32 + i] = scale * Float(bits[part / 2 * 32 + i] >> shift & 15) - offset
      }
    }
  }

  /// As `q4K`, with a fifth bit for each number before the nibbles.
  private static func q5K(_ block: UnsafePointer<UInt8>, _ output: Output) {
    let (d, minimum) = (half(block, 0), half(block, 2))
    let (fifth, bits) = (block + 16, block + 48)
    for part in 0..<8 {
      let packed = scaleAndMinimum(block + 4, part)
      let scale = d * Float(packed.scale)
      let offset = minimum * Float(packed.minimum)
      let shift = UInt8(part % 2 * 4)
      for i in 0..<32 {
        let q = bits[part / 2 * 32 + i] >> shift & 15 | (fifth[i] >> UInt8(part) & 1) << 4
        output[part * 32 + i] = scale * Float(q) - offset
      }
    }
  }

  /// Sixteen parts of 16 with signed scales: nibbles, two further bits a number, scales.
  private static func q6K(_ block: UnsafePointer<UInt8>, _ output: Output) {
    let (low, high, scales) = (block, block + 128, block + 192)
    let d = half(block, 208)
    for part in 0..<16 {
      let scale = d * Float(Int8(bitPattern: scales[part]))
      // Within half a block: four groups of 32, of which the second two are the high nibbles of the first two.
      let (half, group, start) = (part / 8, part % 8 / 2, part % 2 * 16)
      for i in 0..<16 {
        let nibble = low[half * 64 + group % 2 * 32 + start + i] >> UInt8(group / 2 * 4) & 15
        let top = high[half * 32 + start + i] >> UInt8(group * 2) & 3
        output[part * 16 + i] = scale * Float(Int(nibble | top << 4) - 32)
      }
    }
  }
}
