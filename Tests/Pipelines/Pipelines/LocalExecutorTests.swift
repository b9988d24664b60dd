import Diagnostics
import Files
import Glibc
import Pipelines
import TestSupport
import Testing

@Suite struct LocalExecutorTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// Runs a shell script as a stage's program and gives what it printed.
  private func run(_ script: String, arguments: [String] = [], environment: [String: String] = [:]) async throws
    -> (end: ProgramEnd, printed: String)
  {
    let log = "\(folder.path)/log"
    let executor = LocalExecutor(programs: folder.path)
    let job = try await executor.submit(
      try order(script, arguments: arguments, environment: environment, log: log))
    let end = try await executor.end(of: job)
    return (end, String(decoding: try Files.read(log), as: UTF8.self))
  }

  private func order(
    _ script: String, arguments: [String] = [], environment: [String: String] = [:], log: String
  ) throws -> WorkOrder {
    let program = "\(folder.path)/tempnet-sample"
    try AtomicFile.write("#!/bin/sh\n\(script)\n", to: program)
    chmod(program, 0o755)
    return WorkOrder(
      stage: "sample", program: "tempnet-sample", arguments: arguments, environment: environment, log: log)
  }

  @Test func `arguments and variables arrive, and what is printed goes to the log`() async throws {
    let (end, printed) = try await run(
      "echo \"$1|$2\"; echo \"$COLOUR\" >&2", arguments: ["a b", "c"], environment: ["COLOUR": "red"])
    #expect(end == .exited(0) && printed == "a b|c\nred\n")
  }

  @Test func `a program knows its runner`() async throws {
    let (_, printed) = try await run("echo \"$TEMPNET_PARENT\"; echo $PPID")
    let lines = printed.split(separator: "\n")
    #expect(ProcessIdentity(String(lines[0])) == ProcessIdentity(of: getpid()) && lines[1] == "\(getpid())")
  }

  @Test func `exit codes and signals are told apart`() async throws {
    #expect(try await run("exit 74").end == .exited(74))
    #expect(try await run("kill -9 $$").end == .signalled(9))
  }

  @Test func `the log of an earlier attempt is kept`() async throws {
    _ = try await run("echo one")
    #expect(try await run("echo two").printed == "one\ntwo\n")
  }

  @Test func `stopping a job asks the program to end and waits for it`() async throws {
    let log = "\(folder.path)/log"
    let order = try order(
      "trap 'echo saving; sleep 0.2; exit 75' TERM\necho ready\nwhile :; do sleep 0.05; done", log: log)
    let executor = LocalExecutor(programs: folder.path)
    let job = try await executor.submit(order)
    try await until { ((try? Files.read(log)) ?? []).count >= 6 }
    await executor.stop(job)
    #expect(try await executor.end(of: job) == .exited(75))
    #expect(String(decoding: try Files.read(log), as: UTF8.self) == "ready\nsaving\n")
  }

  @Test func `a job is known by the number of its process, and no two jobs have one name`() async throws {
    let executor = LocalExecutor(programs: folder.path)
    let order = try order("echo $$", log: "\(folder.path)/log")
    let jobs = [try await executor.submit(order), try await executor.submit(order)]
    for job in jobs { #expect(try await executor.end(of: job) == .exited(0)) }
    let printed = String(decoding: try Files.read(order.log), as: UTF8.self).split(separator: "\n")
    #expect(Set(jobs.map { $0.description.prefix { $0 != "," } }) == Set(printed.map { "process \($0)" }))
    #expect(Set(jobs).count == 2)
  }

  @Test func `a job of another runner is lost`() async throws {
    #expect(try await LocalExecutor(programs: folder.path).end(of: JobName("process 1, job 1 of 1")) == .lost)
  }

  @Test func `a program that cannot be started has no job`() async throws {
    let order = try order("exit 0", log: "\(folder.path)/log")
    try Files.remove("\(folder.path)/tempnet-sample")
    let executor = LocalExecutor(programs: folder.path)
    await #expect(throws: (any Error).self) { try await executor.submit(order) }
  }

  @Test func `a missing program is reported as not installed`() {
    #expect { try LocalExecutor(programs: folder.path).check("tempnet-nothing") } throws: {
      ($0 as? Failure)?.status == .unavailable
    }
  }
}
