import Glibc

/// The limits that control groups set this process; containers, Slurm and systemd make them.
///
/// Every group above the process's own counts, since each limits all that is below it. Both versions of control groups
/// are read; a machine may have some controllers in the one and some in the other (cgroups(7)).
struct ControlGroups: Equatable, Sendable {
  /// Processor seconds per second; nil without a limit.
  var processors: Double?
  /// In bytes; nil without a limit.
  var memory: Int?

  /// - Parameter root: a prefix of all paths, for tests.
  init(root: String = "") {
    let memberships = lines(of: "\(root)/proc/self/cgroup").compactMap(Membership.init)
    let mounts = lines(of: "\(root)/proc/self/mountinfo").compactMap(Mount.init)
    for mount in mounts {
      for membership in memberships where mount.holds(membership) {
        for folder in mount.folders(above: membership.path, root: root) { narrow(by: folder, mount.controllers) }
      }
    }
  }

  private mutating func narrow(by folder: String, _ controllers: Set<Substring>?) {
    if controllers?.contains("cpu") ?? true {
      processors = [processors, Self.quota(folder, isUnified: controllers == nil)].compactMap { $0 }.min()
    }
    if controllers?.contains("memory") ?? true {
      let file = controllers == nil ? "memory.max" : "memory.limit_in_bytes"
      // `max`, and in version 1 a number near 2^63, stand for no limit.
      let limit = firstLine(of: "\(folder)/\(file)").flatMap { Int($0) }.flatMap { 1..<1 << 62 ~= $0 ? $0 : nil }
      memory = [memory, limit].compactMap { $0 }.min()
    }
  }

  /// The number of processors that a quota allows: microseconds of processor time per period, over the period's length.
  private static func quota(_ folder: String, isUnified: Bool) -> Double? {
    let words =
      isUnified
      ? firstLine(of: "\(folder)/cpu.max").map { parts(of: $0, at: " ") } ?? []
      : ["cpu.cfs_quota_us", "cpu.cfs_period_us"].compactMap { firstLine(of: "\(folder)/\($0)") }
    guard words.count == 2, let quota = Int(words[0]), let period = Int(words[1]), quota > 0, period > 0 else {
      return nil
    }
    return Double(quota) / Double(period)
  }
}

/// A line of /proc/self/cgroup: `4:memory:/docker/0123`, and in version 2 `0::/user.slice`.
private struct Membership {
  /// Nil in version 2.
  let controllers: Set<Substring>?
  let path: Substring

  init?(_ line: Substring) {
    let parts = line.utf8.split(separator: UInt8(ascii: ":"), maxSplits: 2, omittingEmptySubsequences: false)
      .map(Substring.init)
    guard parts.count == 3, parts[2].utf8.first == UInt8(ascii: "/") else { return nil }
    controllers = parts[0] == "0" && parts[1].isEmpty ? nil : Set(Diagnostics.parts(of: parts[1], at: ","))
    path = parts[2]
  }
}

/// A line of /proc/self/mountinfo about a hierarchy of control groups (proc(5)).
private struct Mount {
  /// Nil in version 2.
  let controllers: Set<Substring>?
  /// The group that the mount shows.
  let group: String
  /// Where it is mounted.
  let point: String

  init?(_ line: Substring) {
    let words = parts(of: line, at: " ")
    guard words.count >= 6, let dash = words.firstIndex(of: "-"), words.count > dash + 3 else { return nil }
    switch words[dash + 1] {
    case "cgroup2": controllers = nil
    case "cgroup": controllers = Set(parts(of: words[dash + 3], at: ","))
    default: return nil
    }
    (group, point) = (unescaped(words[3]), unescaped(words[4]))
  }

  func holds(_ membership: Membership) -> Bool {
    guard let controllers, let own = membership.controllers else {
      return controllers == nil && membership.controllers == nil
    }
    return !controllers.isDisjoint(with: own)
  }

  /// The folder of a group and those above it, as far as they can be seen here. In a container the group's path may be
  /// the machine's, of which only the end is mounted, or lead out of what is mounted.
  func folders(above path: Substring, root: String) -> [String] {
    var names = parts(of: path, at: "/")
    let hidden = parts(of: group[...], at: "/")
    if names.starts(with: hidden) { names.removeFirst(hidden.count) }
    if names.contains("..") { names = [] }
    return (0...names.count).map { count in
      ([root + (point == "/" ? "" : point)] + names.prefix(count).map(String.init)).joined(separator: "/")
    }
  }
}

/// Blanks and the like are written as `\040` there.
private func unescaped(_ word: Substring) -> String {
  guard word.utf8.contains(UInt8(ascii: "\\")) else { return String(word) }
  var (bytes, rest) = ([UInt8](), word.utf8[...])
  while let byte = rest.popFirst() {
    if byte == UInt8(ascii: "\\"), let code = UInt8(String(Substring(rest.prefix(3))), radix: 8) {
      bytes.append(code)
      rest = rest.dropFirst(3)
    } else {
      bytes.append(byte)
    }
  }
  return String(decoding: bytes, as: UTF8.self)
}

private func lines(of path: String) -> [Substring] { parts(of: text(of: path)[...], at: "\n") }

/// The non-empty parts between separators. Splits by bytes, since names may begin with a combining mark.
private func parts(of text: Substring, at sign: Unicode.Scalar) -> [Substring] {
  text.utf8.split(separator: UInt8(ascii: sign)).map(Substring.init)
}

private func firstLine(of path: String) -> Substring? { lines(of: path).first }

/// The start of a file, which is enough for the files read here; empty for a missing file.
private func text(of path: String) -> String {
  guard let file = fopen(path, "re") else { return "" }
  defer { fclose(file) }
  var bytes = [UInt8](repeating: 0, count: 1 << 20)
  let count = fread(&bytes, 1, bytes.count, file)
  return String(decoding: bytes[..<count], as: UTF8.self)
}
