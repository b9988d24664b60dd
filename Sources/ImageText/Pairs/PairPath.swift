import DataDescriptors
import Diagnostics
import Files

/// What a path given as a source of pairs names.
enum PairForm: Equatable {
  case descriptor, archive, table, records
  /// A file with pictures of its own is none; a folder is looked into.
  case unknown

  static let pictureEndings = ["jpg", "jpeg", "png", "webp", "gif"]
  private static let archives = [".tar", ".tgz", ".tbz2", ".txz", ".tzst", ".zip", ".7z"]
  private static let tables = [".csv", ".tsv"]
  private static let recordFiles = [".json", ".jsonl", ".ndjson", ".jsonlines", ".ldjson"]
  private static let compressions = [".gz", ".bz2", ".xz", ".zst", ".lz4"]

  init(ofName name: String) {
    let lowered = name.lowercased()
    let compression = Self.compressions.first(where: lowered.hasSuffix)
    let plain = String(lowered.dropLast(compression?.count ?? 0))
    if DataDescriptor.isDescriptor(name) {
      self = .descriptor
    } else if Self.archives.contains(where: plain.hasSuffix) {
      self = .archive
    } else if Self.tables.contains(where: plain.hasSuffix) {
      self = .table
    } else if Self.recordFiles.contains(where: plain.hasSuffix) {
      self = .records
    } else {
      self = .unknown
    }
  }

  /// Whether a file of this name is compressed, and no archive.
  static func isCompressed(_ name: String) -> Bool { compressions.contains(where: name.lowercased().hasSuffix) }

  static func isPicture(_ name: String) -> Bool {
    let lowered = name.lowercased()
    return pictureEndings.contains { lowered.hasSuffix(".\($0)") }
  }
}

/// Expands what webdataset takes for the names of shards: `a-{000..127}.tar`, and several joined by `::`.
enum ShardPattern {
  private static let limit = 1 << 20

  /// - Throws: `Failure(.badConfiguration)` for braces that are no range or list, and for more than 2^20 names.
  static func expanded(_ pattern: String) throws -> [String] {
    try pattern.split(separator: "::").flatMap { try braces(String($0)) }
  }

  private static func braces(_ pattern: String) throws -> [String] {
    guard let open = pattern.firstIndex(of: "{"), let close = pattern[open...].firstIndex(of: "}") else {
      return [pattern]
    }
    let inner = pattern[pattern.index(after: open)..<close]
    let (before, after) = (pattern[..<open], try braces(String(pattern[pattern.index(after: close)...])))
    let choices =
      try range(inner, pattern) ?? inner.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    guard choices.count * after.count <= limit else {
      throw Failure(.badConfiguration, "stands for more than \(limit) files", at: pattern)
    }
    return choices.flatMap { choice in after.map { "\(before)\(choice)\($0)" } }
  }

  /// The numbers of `000..127`, with the digits of the first; nil for a list.
  private static func range(_ text: Substring, _ pattern: String) throws -> [String]? {
    guard let dots = text.firstRange(of: "..") else { return nil }
    let (low, high) = (text[..<dots.lowerBound], text[dots.upperBound...])
    guard let first = Int(low), let last = Int(high), first >= 0, first <= last, last - first < limit else {
      throw Failure(.badConfiguration, "'{\(text)}' is no range such as {000..127}", at: pattern)
    }
    return (first...last).map { number in
      let digits = "\(number)"
      return String(repeating: "0", count: max(0, low.count - digits.count)) + digits
    }
  }
}
