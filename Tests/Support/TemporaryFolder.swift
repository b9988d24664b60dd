import Diagnostics
import Files
import Glibc

/// A folder for one test, removed with its content when the test ends.
public final class TemporaryFolder: Sendable {
  public let path: String

  public init() throws {
    let parent = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
    var template = Array("\(parent)/tempnet-tests-\(String(repeating: "X", count: 6))".utf8CString)
    guard let made = mkdtemp(&template) else { throw Failure.system("cannot make a folder", parent) }
    path = String(cString: made)
  }

  deinit { try? Files.remove(path) }

  /// The path of a name in the folder.
  public func callAsFunction(_ name: String) -> String { "\(path)/\(name)" }

  /// Writes a file into the folder and returns its path.
  @discardableResult
  public func write(_ text: String, to name: String) throws -> String {
    try Files.makeFolder(Files.folder(of: self(name)))
    try AtomicFile.write(text, to: self(name))
    return self(name)
  }
}

/// The files of a folder: relative paths and contents.
public func contents(_ folder: String) throws -> [String: [UInt8]] {
  let paths = try Files.tree(folder)
  return Dictionary(uniqueKeysWithValues: try paths.map { ($0, try Files.read("\(folder)/\($0)")) })
}

/// The text of a file.
public func text(_ path: String) throws -> String { String(decoding: try Files.read(path), as: UTF8.self) }
