import Diagnostics

/// Where `scripts/fetch-data` puts the files of a data set: in `cache/NAME` beside the descriptor `NAME.yaml`.
public enum DataCache {
  private static let name = "cache"

  /// The folder of a descriptor's data set of this name.
  public static func folder(of dataSet: String, besideDescriptor path: String) -> String {
    "\(Files.folder(of: path))/\(name)/\(dataSet)"
  }

  /// The descriptor of the data set that a path lies in; nil where there is none.
  public static func descriptor(ofDataAt path: String) -> String? {
    let parts = path.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
      .map { String(Substring($0)) }
    guard let cache = parts.lastIndex(of: name), cache + 1 < parts.count else { return nil }
    let descriptor = (parts[..<cache] + ["\(parts[cache + 1]).yaml"]).joined(separator: "/")
    return Files.exists(descriptor) ? descriptor : nil
  }

  /// The command that gets the data of a descriptor.
  public static func command(for descriptor: String) -> String { "scripts/fetch-data \(descriptor)" }
}

extension Failure {
  /// The failure for a file or folder that does not exist. For a file of a data set the message has the command that
  /// fetches it.
  ///
  /// - Parameter noun: the noun of the expected thing, such as `model`.
  public static func missing(_ noun: String, at path: String) -> Failure {
    let remedy = DataCache.descriptor(ofDataAt: path).map { "; get it with: \(DataCache.command(for: $0))" } ?? ""
    return Failure(.missingInput, "there is no such \(noun)\(remedy)", at: path)
  }
}
