import CArchive
import Glibc

/// What an entry of an archive leads to, where it is a symbolic or a hard link.
struct ArchiveLink {
  let path: String
  /// Whether the link leads to a place in the archive.
  let staysInside: Bool

  /// Nil for an entry that is no link.
  ///
  /// - Parameter name: the entry's own path. A symbolic link counts from the folder of that, a hard one from the root.
  init?(_ header: OpaquePointer, in name: String) {
    let (hard, symbolic) = CharacterSet.utf8 {
      (
        archive_entry_hardlink(header).map { Self.text($0) },
        archive_entry_filetype(header) == S_IFLNK ? archive_entry_symlink(header).map { Self.text($0) } ?? "" : nil
      )
    }
    guard let path = hard ?? symbolic else { return nil }
    self.path = path
    let start = hard == nil ? name.utf8.split(separator: UInt8(ascii: "/")).count - 1 : 0
    staysInside = !path.isEmpty && path.utf8.first != UInt8(ascii: "/") && !Self.climbs(path, from: start)
  }

  private static func text(_ characters: UnsafePointer<CChar>) -> String {
    escapingInvalidUTF8(UnsafeRawBufferPointer(start: characters, count: strlen(characters)))
  }

  /// Whether a path leads above the root from so many folders below it.
  private static func climbs(_ path: String, from start: Int) -> Bool {
    var depth = start
    for part in path.utf8.split(separator: UInt8(ascii: "/")) {
      if part.elementsEqual("..".utf8) { depth -= 1 } else if !part.elementsEqual(".".utf8) { depth += 1 }
      if depth < 0 { return true }
    }
    return false
  }
}
