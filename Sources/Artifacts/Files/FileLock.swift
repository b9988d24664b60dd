import Diagnostics
import Glibc

/// A lock that one process at a time holds, and that ends with its process however that ends.
///
/// The lock file says who holds it. It is removed on release; whoever obtains the lock makes sure that the file is
/// still the one of that name, because another process may have removed it in between.
final class FileLock {
  let path: String
  private let descriptor: Int32

  /// - Throws: `Failure(.tryAgain)` naming the holder when another process, or another part of this one, holds it.
  init(_ path: String) throws {
    self.path = path
    while true {
      let descriptor = retryingOnInterruption { open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o666) }
      guard descriptor >= 0 else { throw Failure.system("cannot make the lock", path) }
      if retryingOnInterruption({ flock(descriptor, LOCK_EX | LOCK_NB) }) != 0 {
        let code = errno
        let holder = Self.holder(descriptor)
        close(descriptor)
        guard code == EWOULDBLOCK else { throw Failure.system("cannot lock", path, code: code) }
        throw Failure(.tryAgain, "locked by \(holder)", at: path)
      }
      if Self.isNamed(path, descriptor) {
        self.descriptor = descriptor
        break
      }
      close(descriptor)
    }
    let text = "process \(getpid()) on \(Self.host)\n"
    ftruncate(descriptor, 0)
    _ = text.utf8.withContiguousStorageIfAvailable { pwrite(descriptor, $0.baseAddress, $0.count, 0) }
  }

  deinit {
    unlink(path)
    close(descriptor)
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
