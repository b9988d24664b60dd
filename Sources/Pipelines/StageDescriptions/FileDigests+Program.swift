import Artifacts
import Glibc

extension FileDigests {
  /// The environment variable in which the runner names the cache of digests.
  public static let cacheVariable = "TEMPNET_DIGESTS"

  /// The digests for a stage's program: with the cache that the runner names, or without one.
  public static var forProgram: FileDigests { FileDigests(cache: getenv(cacheVariable).map { String(cString: $0) }) }
}
