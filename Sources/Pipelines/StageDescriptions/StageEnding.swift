import Diagnostics
import Files
import Glibc
import JSON

/// How a stage program ended, for the runner: `{"status": 65, "cause": "austen.txt: is empty", "busy": false}`.
///
/// The file lies beside the stage's log, as `STAGE.end.json`. A program that was killed leaves none.
public struct StageEnding: Equatable, Sendable {
  /// The environment variable with the path of the file, which the runner sets. It is absent in programs that a person
  /// starts.
  public static let fileVariable = "TEMPNET_END"

  /// The exit code.
  public let status: Int32
  /// The message of the failure; nil where there was none.
  public let cause: String?
  /// Whether another process is making the same artifact.
  public let isBusy: Bool

  public init(status: Int32, cause: String? = nil, isBusy: Bool = false) {
    (self.status, self.cause, self.isBusy) = (status, cause, isBusy)
  }

  public init(_ failure: Failure) {
    self.init(status: failure.status.rawValue, cause: failure.description, isBusy: failure.isBusy)
  }

  /// Nil for a missing or unreadable file; the exit code then has to do.
  public init?(readingIfWhole file: String) {
    guard let bytes = try? Files.read(file), let json = try? JSON(parsing: bytes, source: file, for: .strict),
      let status = json["status"]?.intValue.flatMap({ Int32(exactly: $0) })
    else { return nil }
    self.init(status: status, cause: json["cause"]?.stringValue, isBusy: json["busy"]?.boolValue ?? false)
  }

  /// Writes the file that the runner has named, if there is a runner. A program that is ending cannot report a failure
  /// to write it; its exit code remains.
  public func writeForRunner() {
    guard let file = getenv(Self.fileVariable).map({ String(cString: $0) }), !file.isEmpty else { return }
    try? write(to: file)
  }

  public func write(to file: String) throws {
    let json: JSON = [
      "status": .integer(Int(status)), "cause": cause.map { .string($0) } ?? .null, "busy": .bool(isBusy),
    ]
    try AtomicFile.write(json.pretty, to: file)
  }
}
