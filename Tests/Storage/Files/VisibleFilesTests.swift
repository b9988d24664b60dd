import Diagnostics
import Glibc
import TestSupport
import Testing

@testable import Files

@Suite struct VisibleFilesTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// Makes a file whose name is given by its bytes.
  private func make(_ name: [UInt8]) {
    let path = Array(folder("").utf8) + name + [0]
    path.withUnsafeBytes { _ = fclose(fopen($0.assumingMemoryBound(to: CChar.self).baseAddress!, "w")) }
  }

  @Test func `hidden files are those whose name or folder begins with a point, and the Finder's`() throws {
    let names = [
      "b.txt", "a/y.txt", ".DS_Store", "a/.git/config", ".cache/x.txt", "__MACOSX/b.txt", "a/__MACOSX/c", "a.b/.c/d",
      "_x",
    ]
    for name in names { try folder.write("x", to: name) }
    #expect(try VisibleFiles.paths(in: folder.path) == ["_x", "a/y.txt", "b.txt"])
    #expect(names.filter(VisibleFiles.include) == ["b.txt", "a/y.txt", "_x"])
  }

  private static let name = Array("caf".utf8) + [0xE9] + Array(".txt".utf8)

  @Test func `a name that is not UTF-8 is refused by name, unless it is hidden`() throws {
    make([0x2E, 0xFF])
    try folder.write("x", to: "a")
    #expect(try VisibleFiles.paths(in: folder.path) == ["a"])
    make(Self.name)
    let failure = #expect(throws: Failure.self) { try VisibleFiles.paths(in: folder.path) }
    #expect(failure?.status == .badData && failure?.place == folder.path)
    #expect(failure?.message.hasPrefix(#"the name 'caf\xE9.txt' in it is not UTF-8; rename"#) == true)
  }

  @Test func `other names are listed, and removed with their folder`() throws {
    try Files.makeFolder(folder("kept"))
    make(Array("kept/".utf8) + Self.name)
    #expect(try Files.list(folder("kept")) == [#"caf\xE9.txt"#])
    #expect(try Files.tree(folder.path) == [#"kept/caf\xE9.txt"#])
    try Files.remove(folder("kept"))
    #expect(try Files.list(folder.path) == [])
  }

  @Test func `bytes that are not UTF-8 are escaped, all others stay`() {
    #expect(escapingInvalidUTF8(Array("é 文 🙂\n".utf8)) == "é 文 🙂\n")
    #expect(escapingInvalidUTF8([0x61, 0xFF, 0xC3, 0x28, 0xE2, 0x82]) == #"a\xFF\xC3(\xE2\x82"#)
  }
}
