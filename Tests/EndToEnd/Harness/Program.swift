import Files
import Foundation
import Testing

/// A program of this package, from the build folder of the tests.
struct Program: Sendable, CustomTestStringConvertible {
  static let tokenize = Program("tempnet-tokenize")
  static let pretrain = Program("tempnet-pretrain")
  static let features = Program("tempnet-features")
  static let fit = Program("tempnet-fit")
  static let `import` = Program("tempnet-import")
  static let evaluate = Program("tempnet-evaluate")
  static let export = Program("tempnet-export")
  static let run = Program("tempnet-run")
  static let stages = [tokenize, pretrain, features, fit, `import`, evaluate, export]
  static let generate = Program("tempnet-generate")
  static let score = Program("tempnet-score")
  static let pairs = Program("tempnet-pairs")
  static let convert = Program("tempnet-convert")
  static let embed = Program("tempnet-embed")
  static let contrast = Program("tempnet-contrast")
  static let retrieve = Program("tempnet-retrieve")
  static let all = stages + [score, pairs, convert, embed, contrast, retrieve, generate, run]

  let name: String
  var testDescription: String { name }

  private init(_ name: String) { self.name = name }

  private static let folder = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()

  /// Starts the program; standard input is empty.
  ///
  /// - Parameters:
  ///   - folder: the current directory, which also receives the files with its output.
  ///   - environment: nil for the environment of the tests.
  ///   - output: a file for standard output; nil for one that `Outcome` reads.
  ///   - fileLimit: the largest size of files that it writes, in blocks of 512 bytes.
  func start(
    _ arguments: [String], in folder: String, environment: [String: String]? = nil, output: String? = nil,
    fileLimit: Int? = nil
  ) throws -> RunningProgram {
    let process = Process()
    let program = Self.folder.appending(path: name)
    if let fileLimit {
      process.executableURL = URL(filePath: "/bin/sh")
      process.arguments = ["-c", "ulimit -f \(fileLimit) && exec \"$0\" \"$@\"", program.path] + arguments
    } else {
      process.executableURL = program
      process.arguments = arguments
    }
    process.currentDirectoryURL = URL(filePath: folder)
    process.standardInput = FileHandle.nullDevice
    if let environment { process.environment = environment }
    return try RunningProgram(process, prints: "\(folder)/.\(name)-\(UUID().uuidString)", output: output)
  }

  /// Runs the program to its end.
  func callAsFunction(
    _ arguments: [String], in folder: String, environment: [String: String]? = nil, output: String? = nil
  ) async throws -> Outcome {
    try await start(arguments, in: folder, environment: environment, output: output).outcome()
  }
}

/// The process ids of programs of this package whose current directory is inside a folder.
func processes(in folder: String) throws -> [Int32] {
  try Files.list("/proc").compactMap { Int32($0) }.filter { id in
    guard let place = Files.target(ofLink: "/proc/\(id)/cwd"), place == folder || place.hasPrefix("\(folder)/"),
      let file = Files.target(ofLink: "/proc/\(id)/exe")
    else { return false }
    return Files.name(of: file).hasPrefix("tempnet-")
  }
}

/// The end of a program, and its output.
struct Outcome: CustomStringConvertible {
  enum End: Equatable {
    case exited(Int32)
    case killed(signal: Int32)
  }
  let end: End
  let output: String
  let errors: String

  /// Lines on standard output.
  var lines: [String] { output.split(separator: "\n").map(String.init) }

  var description: String { "\(end)\n\(output)\(errors)" }
}

/// A running program.
final class RunningProgram: Sendable {
  private let process: Process
  private let prints: String
  private let ended: AsyncStream<Void>

  fileprivate init(_ process: Process, prints: String, output: String?) throws {
    self.process = process
    self.prints = prints
    // Files, not pipes: nobody has to read them while the program runs, and surviving children block nobody.
    let kept = try Self.makeFile("\(prints).out")
    process.standardOutput = try output.map { try FileHandle(forWritingTo: URL(filePath: $0)) } ?? kept
    process.standardError = try Self.makeFile("\(prints).err")
    let (stream, continuation) = AsyncStream<Void>.makeStream()
    ended = stream
    process.terminationHandler = { _ in continuation.finish() }
    try process.run()
  }

  var processIdentifier: Int32 { process.processIdentifier }
  var isRunning: Bool { process.isRunning }

  func send(_ signal: Int32) { kill(process.processIdentifier, signal) }

  func outcome() async throws -> Outcome {
    for await _ in ended {}
    let isSignal = process.terminationReason == .uncaughtSignal
    return Outcome(
      end: isSignal ? .killed(signal: process.terminationStatus) : .exited(process.terminationStatus),
      output: try String(contentsOfFile: "\(prints).out", encoding: .utf8),
      errors: try String(contentsOfFile: "\(prints).err", encoding: .utf8))
  }

  private static func makeFile(_ path: String) throws -> FileHandle {
    try Data().write(to: URL(filePath: path))
    return try FileHandle(forWritingTo: URL(filePath: path))
  }
}

/// The environment of the tests.
let inheritedEnvironment = ProcessInfo.processInfo.environment

/// A path with its symbolic links resolved.
func realPath(_ path: String) throws -> String {
  URL(filePath: path).resolvingSymlinksInPath().path(percentEncoded: false)
}

/// Runs the C compiler.
func compile(_ arguments: [String]) throws {
  let process = Process()
  process.executableURL = URL(filePath: "/usr/bin/env")
  process.arguments = ["cc"] + arguments
  try process.run()
  process.waitUntilExit()
  try #require(process.terminationStatus == 0, "cc \(arguments.joined(separator: " "))")
}
