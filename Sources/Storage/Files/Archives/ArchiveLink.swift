import CArchive
import Glibc

/// A symbolic or hard link in an archive.
public struct ArchiveLink: Sendable {
  /// The entry's own path.
  public let name: String
  /// As the archive states it.
  let path: String
  /// The path of the entry or folder that the link leads to; nil where it leads out of the archive.
  public let target: String?

  /// Nil for an entry that is not a link.
  ///
  /// - Parameter name: the entry's own path. The target of a symbolic link is relative to its folder, that of a hard
  ///   link to the root.
  init?(_ header: OpaquePointer, in name: String) {
    let (hard, symbolic) = CharacterSet.utf8 {
      (
        archive_entry_hardlink(header).map { Self.text($0) },
        archive_entry_filetype(header) == S_IFLNK ? archive_entry_symlink(header).map { Self.text($0) } ?? "" : nil
      )
    }
    guard let path = hard ?? symbolic else { return nil }
    self.path = path
    self.name = name
    target = Self.target(of: path, from: hard == nil ? name.utf8.split(separator: UInt8(ascii: "/")).dropLast() : [])
  }

  private static func text(_ characters: UnsafePointer<CChar>) -> String {
    escapingInvalidUTF8(UnsafeRawBufferPointer(start: characters, count: strlen(characters)))
  }

  private static func target(of path: String, from folder: [Substring.UTF8View]) -> String? {
    guard !path.isEmpty, path.utf8.first != UInt8(ascii: "/") else { return nil }
    var parts = folder
    for part in path.utf8.split(separator: UInt8(ascii: "/")) {
      if part.elementsEqual("..".utf8) {
        guard parts.popLast() != nil else { return nil }
      } else if !part.elementsEqual(".".utf8) {
        parts.append(part)
      }
    }
    return parts.map { String(Substring($0)) }.joined(separator: "/")
  }
}
