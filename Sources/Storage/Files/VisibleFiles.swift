import Diagnostics

/// The files of a folder or an archive that count as content: all except hidden ones.
///
/// A file is hidden if its name begins with a point, or if it lies in such a folder or in `__MACOSX`, the folder for
/// system files in archives of the Finder.
public enum VisibleFiles {
  /// Whether a relative path leads to a visible file.
  public static func include(_ path: String) -> Bool {
    !path.utf8.split(separator: UInt8(ascii: "/")).contains { FileName(bytes: Array($0)).isHidden }
  }

  /// Paths of the visible files below a folder, relative to it, sorted by their bytes.
  ///
  /// - Throws: `Failure(.badData)` for a name that is not UTF-8.
  public static func paths(in folder: String) throws -> [String] {
    var paths: [String] = []
    for name in try Files.names(in: folder) where !name.isHidden {
      guard let text = name.text else {
        throw Failure(
          .badData,
          "the name '\(name.shown)' in it is not UTF-8; rename the file (convmv -f ENCODING -t UTF-8 does many at once)",
          at: folder)
      }
      if try Files.status("\(folder)/\(text)")?.isFolder == true {
        paths += try Self.paths(in: "\(folder)/\(text)").map { "\(text)/\($0)" }
      } else {
        paths.append(text)
      }
    }
    return paths.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }
}
