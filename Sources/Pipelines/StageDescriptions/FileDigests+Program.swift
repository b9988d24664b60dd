import Artifacts
import Glibc

extension FileDigests {
  /// The environment variable by which the runner tells stage programs where digests are remembered.
  public static let cacheVariable = "TEMPNET_DIGESTS"

  /// What a program looks digests up in: the runner's cache if one is named, otherwise nothing remembered.
  public static var forProgram: FileDigests { FileDigests(cache: getenv(cacheVariable).map { String(cString: $0) }) }
}
