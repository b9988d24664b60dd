import Glibc

/// A process of a machine since it was started: process ids are given out again, and machines that share a disk, or the
/// environment of a batch job, give out the same ones.
public struct ProcessIdentity: Equatable, Sendable, CustomStringConvertible {
  public let id: Int32
  /// In clock ticks since the machine was started.
  let start: Int
  /// The kernel's name for the machine's running since then.
  let boot: String

  /// Nil for a process that does not exist, or that is dead and only waits for its parent.
  public init?(of id: Int32) {
    guard let stat = Self.read("/proc/\(id)/stat"), let boot = Self.boot else { return nil }
    // The name of the program, in brackets, may hold anything. Behind it are the state and, 19 numbers later, the start.
    guard let end = stat.lastIndex(of: ")") else { return nil }
    let fields = stat[stat.index(after: end)...].split(separator: " ")
    guard fields.count > 19, !["Z", "X"].contains(fields[0]), let start = Int(fields[19]) else { return nil }
    (self.id, self.start, self.boot) = (id, start, boot)
  }

  /// The inverse of `description`.
  public init?(_ text: String) {
    let parts = text.split(separator: " ")
    guard parts.count == 3, let id = Int32(parts[0]), let start = Int(parts[1]) else { return nil }
    (self.id, self.start, self.boot) = (id, start, String(parts[2]))
  }

  public var description: String { "\(id) \(start) \(boot)" }

  /// Whether it is, or was, a process of this machine as it runs now.
  var isOfThisMachine: Bool { boot == Self.boot }

  /// Whether the process lives.
  var isAlive: Bool { ProcessIdentity(of: id) == self }

  private static let boot = read("/proc/sys/kernel/random/boot_id").map { String($0.prefix { $0 != "\n" }) }

  private static func read(_ path: String) -> String? {
    guard let file = fopen(path, "re") else { return nil }
    defer { fclose(file) }
    var bytes = [UInt8](repeating: 0, count: 4096)
    let count = fread(&bytes, 1, bytes.count, file)
    return String(decoding: bytes[..<count], as: UTF8.self)
  }
}
