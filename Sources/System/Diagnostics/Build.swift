import CProcess

/// Identifies a build of this release.
public enum Build {
  /// The first twelve digits of the digest that the linker stored in the program; nil where it stored none.
  public static var identity: String? {
    var bytes = [UInt8](repeating: 0, count: 6)
    guard cprocess_build_id(&bytes, Int32(bytes.count)) == bytes.count else { return nil }
    let digits = Array("0123456789abcdef".utf8)
    return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
  }
}
