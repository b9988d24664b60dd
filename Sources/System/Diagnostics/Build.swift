import CProcess

/// Identifies a build of this release.
public enum Build {
  /// The first twelve digits of the digest that the linker stored in the program; nil where it stored none.
  public static var identity: String? {
    var bytes = [UInt8](repeating: 0, count: 6)
    guard cprocess_build_id(&bytes, Int32(bytes.count)) == bytes.count else { return nil }
    return hexadecimal(bytes)
  }
}
