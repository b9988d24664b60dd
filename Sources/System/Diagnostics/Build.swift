import CProcess

/// Which of all builds of this release a program is.
public enum Build {
  /// The first twelve digits of the digest that the linker made of everything in the program; nil where it made none.
  public static var identity: String? {
    var bytes = [UInt8](repeating: 0, count: 6)
    guard cprocess_build_id(&bytes, Int32(bytes.count)) == bytes.count else { return nil }
    let digits = Array("0123456789abcdef".utf8)
    return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
  }
}
