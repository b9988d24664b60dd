extension Float {
  /// The value of a number in IEEE half precision, exactly.
  ///
  /// Computed from the bits: libtorch has the processor flush denormal numbers to zero, also in its own conversions.
  public init(half bits: UInt16) {
    let sign = UInt32(bits & 0x8000) << 16
    let exponent = UInt32(bits >> 10 & 31)
    let fraction = UInt32(bits & 0x3FF)
    switch exponent {
    case 0 where fraction == 0: self.init(bitPattern: sign)
    case 0:
      // Denormal here, but not in single precision: the highest bit becomes the implied one.
      let shift = UInt32(fraction.leadingZeroBitCount - 21)
      self.init(bitPattern: sign | (113 - shift) << 23 | (fraction << shift & 0x3FF) << 13)
    case 31: self.init(bitPattern: sign | 0x7F80_0000 | fraction << 13)
    default: self.init(bitPattern: sign | (exponent + 112) << 23 | fraction << 13)
    }
  }
}
