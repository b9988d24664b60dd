import Diagnostics
import Files

/// Pictures that an index names, as files below a folder.
final class IndexedPictures: PairReader {
  private let source: String
  private let root: String
  private let index: PictureIndex
  private var position = 0
  /// Pictures that lie there and that the index does not name.
  private let unnamed: [String]

  /// - Parameter names: the pictures that lie below the folder, where all of them have to be named.
  init(_ index: PictureIndex, below root: String, source: String, names: [String] = []) {
    (self.index, self.root, self.source) = (index, root, source)
    unnamed = names.filter { index[$0] == nil }
  }

  func next() throws -> PairItem? {
    defer { position += 1 }
    var rest = position
    if rest < index.leftOut.count { return .leftOut(index.leftOut[rest]) }
    rest -= index.leftOut.count
    if rest < index.entries.count { return item(index.entries[rest]) }
    rest -= index.entries.count
    guard rest < unnamed.count else { return nil }
    return .leftOut(
      PairsArtifact.LeftOut(source: source, member: unnamed[rest], reason: "no line of the metadata names it"))
  }

  private func item(_ entry: PictureIndex.Entry) -> PairItem {
    guard let path = Self.path(of: entry.file, below: root) else {
      return .leftOut(
        PairsArtifact.LeftOut(source: source, member: entry.place, reason: "'\(entry.file)' leads out of \(root)"))
    }
    return .sample(
      PairSample(source: source, member: entry.file, content: .file(path), description: entry.description))
  }

  /// The path of a file that an index names; nil where it does not lie below the root. Names are compared byte by byte, as
  /// the file system does: a slash before a combining accent is no character of its own in Swift.
  static func path(of file: String, below root: String) -> String? {
    let root = root.utf8.count > 1 && root.utf8.last == UInt8(ascii: "/") ? String(root.utf8.dropLast())! : root
    let prefix = root == "/" ? "/" : "\(root)/"
    func rest(behind count: Int) -> String { String(decoding: file.utf8.dropFirst(count), as: UTF8.self) }
    if file.utf8.first == UInt8(ascii: "/") {
      let isBelow = file.utf8.starts(with: prefix.utf8) && Files.isPlainRelative(rest(behind: prefix.utf8.count))
      return isBelow ? file : nil
    }
    let plain = file.utf8.starts(with: "./".utf8) ? rest(behind: 2) : file
    return Files.isPlainRelative(plain) ? "\(root)/\(plain)" : nil
  }
}
