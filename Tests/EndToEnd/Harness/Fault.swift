import Files
import Glibc
import TestSupport
import Testing

/// A fault of the disk while a program writes, which `Fixtures/faults.c` causes.
struct Fault: Sendable, CustomTestStringConvertible {
  /// The disk is full from one write on.
  static let full = Fault("full", calls: "w", code: ENOSPC)
  /// A single call of any kind fails.
  static let broken = Fault("broken", calls: "wstormu", code: EIO, times: 1)
  /// The disk is read-only.
  static let readOnly = Fault("read-only", calls: "ormu", code: EROFS)
  /// The system writes fewer bytes than it was given, which is not an error.
  static let short = Fault("short", calls: "w", code: 0)

  let name: String
  var testDescription: String { name }
  private let calls: String
  private let code: Int32
  private let times: Int?

  /// Whether one call alone fails.
  var isSingle: Bool { times == 1 }

  private init(_ name: String, calls: String, code: Int32, times: Int? = nil) {
    (self.name, self.calls, self.code, self.times) = (name, calls, code, times)
  }

  /// The environment variables that cause the fault in a program.
  ///
  /// - Parameters:
  ///   - call: the first disturbed call, from 1; nil disturbs none.
  ///   - program: the only program that is disturbed.
  ///   - file: the name of the only file that is disturbed.
  ///   - count: a file for the number of calls that could have been disturbed.
  func environment(
    from call: Int?, in folder: String, program: Program? = nil, file: String? = nil, count: String? = nil
  ) async throws -> [String: String] {
    var variables = [
      "LD_PRELOAD": try await FaultLibrary.shared.path(), "FAULT_FOLDER": try realPath(folder), "FAULT_CALLS": calls,
      "FAULT_ERRNO": "\(code)", "FAULT_AT": "\(call ?? Int.max)",
    ]
    variables["FAULT_TIMES"] = times.map(String.init)
    variables["FAULT_PROGRAM"] = program?.name
    variables["FAULT_FILE"] = file
    variables["FAULT_COUNT"] = count
    return inheritedEnvironment.merging(variables) { $1 }
  }
}

/// The number of places at which each program is disturbed: TEMPNET_FAULTS, or a few, evenly distributed.
func places(among count: Int) -> [Int] {
  let wanted = min(count, inheritedEnvironment["TEMPNET_FAULTS"].flatMap { Int($0) } ?? 5)
  return (0..<wanted).map { 1 + ($0 * (count - 1)) / max(1, wanted - 1) }
}

/// `faults.c`, compiled once.
private actor FaultLibrary {
  static let shared = FaultLibrary()
  private var made: (folder: TemporaryFolder, path: String)?

  func path() throws -> String {
    if let made { return made.path }
    let folder = try TemporaryFolder()
    let source = Files.folder(of: Files.folder(of: #filePath)) + "/Fixtures/faults.c"
    let path = folder("faults.so")
    try compile(["-shared", "-fPIC", "-Wall", "-Wextra", "-Werror", "-o", path, source, "-ldl"])
    made = (folder, path)
    return path
  }
}
