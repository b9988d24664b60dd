import Diagnostics
import Glibc

/// A lock that one process at a time holds. It ends with the process, even if the process is killed.
///
/// The lock file names the holder. It is removed on release. A process that obtains the lock checks that the file still
/// has its name, because another process may have removed it in between. On a network disk the file stays: a machine
/// that still saw the removed file could lock it while another machine locks the new file of that name.
public final class FileLock: Sendable {
  public let path: String
  private let descriptor: Int32
  /// Whether the file is kept on release, as on network disks.
  public let staysAfterwards: Bool

  /// - Throws: `Failure(.tryAgain)` naming the holder when another process, or another part of this one, holds it.
  public convenience init(_ path: String) throws { try self.init(path, staysAfterwards: nil) }

  /// - Parameter staysAfterwards: whether the file is kept on release; nil lets the disk decide.
  init(_ path: String, staysAfterwards: Bool?) throws {
    self.path = path
    // One refusal is not final, because a process that only asks for the holder has the lock for a moment.
    var patience = 10
    while true {
      let descriptor = retryingOnInterruption { open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o666) }
      // The lock stands beside an output, so a missing folder is not a missing input.
      guard descriptor >= 0 else { throw Failure.system("cannot make the lock", path, status: .inputOutput) }
      if retryingOnInterruption({ flock(descriptor, LOCK_EX | LOCK_NB) }) != 0 {
        let code = errno
        let holder = Self.holder(descriptor)
        close(descriptor)
        guard code == EWOULDBLOCK else { throw Failure.system("cannot lock", path, code: code) }
        patience -= 1
        if patience > 0 {
          usleep(2_000)
          continue
        }
        throw Failure(.tryAgain, "locked by \(holder)", at: path)
      }
      if Self.isNamed(path, descriptor) {
        self.descriptor = descriptor
        self.staysAfterwards = staysAfterwards ?? NetworkDisk.holds(descriptor)
        break
      }
      close(descriptor)
    }
    let text = "process \(getpid()) on \(Self.host)\n"
    ftruncate(descriptor, 0)
    _ = text.utf8.withContiguousStorageIfAvailable { pwrite(descriptor, $0.baseAddress, $0.count, 0) }
  }

  /// Waits for a lock that is only ever held for a moment.
  ///
  /// - Throws: `Failure(.tryAgain)` when an interruption is asked for.
  public static func waiting(for path: String) throws -> FileLock {
    while true {
      do {
        return try FileLock(path)
      } catch let failure as Failure where failure.status == .tryAgain {
        try Interruption.check()
        usleep(10_000)
      }
    }
  }

  deinit {
    if staysAfterwards { ftruncate(descriptor, 0) } else { unlink(path) }
    close(descriptor)
  }

  /// The holder of the lock of that name, in words; nil if nobody holds it.
  public static func holder(_ path: String) -> String? {
    let descriptor = retryingOnInterruption { open(path, O_RDONLY | O_CLOEXEC) }
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    // A shared lock, so that two processes that only ask do not take each other for the holder.
    return flock(descriptor, LOCK_SH | LOCK_NB) == 0 ? nil : holder(descriptor)
  }

  private static func isNamed(_ path: String, _ descriptor: Int32) -> Bool {
    var (named, held) = (stat(), stat())
    return stat(path, &named) == 0 && fstat(descriptor, &held) == 0 && named.st_ino == held.st_ino
      && named.st_dev == held.st_dev
  }

  private static func holder(_ descriptor: Int32) -> String {
    let text = String(unsafeUninitializedCapacity: 400) { max(0, pread(descriptor, $0.baseAddress, $0.count, 0)) }
    return text.isEmpty ? "another process" : String(text.prefix { $0 != "\n" })
  }

  private static var host: String {
    var name = [CChar](repeating: 0, count: 256)
    gethostname(&name, name.count - 1)
    return name.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
  }
}
