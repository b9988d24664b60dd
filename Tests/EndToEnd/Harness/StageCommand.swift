import Artifacts
import Files
import Foundation
import Glibc
import TestSupport
import Testing

/// A stage program with its arguments. It can run undisturbed, be killed, and continue.
struct StageCommand {
  let program: Program
  /// All arguments but `--output`.
  let arguments: [String]
  let folder: String

  /// Runs to the end and returns the files of the artifact.
  func finish(_ output: String, isQuiet: Bool = false) async throws -> ArtifactContent {
    let outcome = try await program(arguments + ["--output", output], in: folder)
    try #require(outcome.end == .exited(0), "\(program.name): \(outcome)")
    #expect(outcome.lines == (isQuiet ? [] : [output]), "standard output is for the artifact's path alone")
    if isQuiet { #expect(outcome.errors.isEmpty, "\(outcome)") }
    return try ArtifactContent(path(output))
  }

  /// Kills the program with signal 9 several times, and continues its work each time: first some time after its third
  /// checkpoint, then at any moment of its first part. The test fails if the work ends before it can be killed.
  ///
  /// - Parameter duration: the duration of the whole work.
  func kill(_ output: String, times: Int, of duration: Duration) async throws {
    try await kill(output, once: .checkpoints(3), within: duration / 8)
    for _ in 1..<times { try await kill(output, once: .started, within: duration / 3) }
  }

  /// The condition after which a program may be killed.
  enum Readiness {
    case started
    /// This number of checkpoints was saved since the first start.
    case checkpoints(Int)
    /// A file has this number of bytes; its path is relative to the future artifact.
    case bytes(Int, in: String)
  }

  /// Sends a signal at a random moment after the program is ready for it.
  ///
  /// - Returns: the end of the program.
  @discardableResult
  func kill(
    _ output: String, once readiness: Readiness, within span: Duration, signal: Int32 = SIGKILL
  ) async throws -> Outcome {
    let running = try program.start(arguments + ["--output", output], in: folder)
    var seen: Set<String> = []
    func isReady() -> Bool {
      let partial = "\(path(output)).partial"
      switch readiness {
      case .started: return true
      case .checkpoints(let count):
        seen.formUnion(Self.checkpoints(in: "\(partial)/checkpoints"))
        return seen.count >= count
      case .bytes(let count, let file):
        return (try? Files.status("\(partial)/\(file)")).map { $0.size >= count } ?? false
      }
    }
    while running.isRunning && !isReady() { try await Task.sleep(for: .milliseconds(2)) }
    let delay = span * Double.random(in: 0...1)
    try await Task.sleep(for: delay)
    running.send(signal)
    let outcome = try await running.outcome()
    let isOver = outcome.end == .exited(0)
    try #require(!isOver, "\(program.name) was done before it could be stopped, \(delay) after it was ready")
    if signal == SIGKILL { #expect(outcome.end == .killed(signal: SIGKILL), "\(outcome)") }
    return outcome
  }

  /// Identifies checkpoints: the numbers that name folders of training and features, and the content of
  /// the files in which an evaluation records its progress.
  private static func checkpoints(in folder: String) -> [String] {
    let names = (try? Files.list(folder)) ?? []
    let notes = names.filter { $0.hasSuffix(".json") }.compactMap { try? text("\(folder)/\($0)") }
    return names.filter { Int($0) != nil } + notes
  }

  func path(_ output: String) -> String { output.hasPrefix("/") ? output : "\(folder)/\(output)" }
}

/// The digest of every file of an artifact, with its manifest, by path.
struct ArtifactContent: Equatable, Sendable, CustomStringConvertible {
  let digests: [String: String]

  init(_ path: String) throws {
    _ = try Artifact.open(path, check: .digests)
    let files = try Files.tree(path)
    digests = Dictionary(uniqueKeysWithValues: try files.map { ($0, try SHA256.hex(ofFile: "\(path)/\($0)")) })
  }

  var description: String { digests.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: "\n") }

  /// Files that differ or exist on one side only.
  func differences(from other: Self) -> [String] {
    Set(digests.keys).union(other.digests.keys).filter { digests[$0] != other.digests[$0] }.sorted()
  }
}
