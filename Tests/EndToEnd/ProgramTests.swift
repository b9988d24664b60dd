import Files
import TestSupport
import Testing

@Suite struct ProgramTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test(arguments: Program.all)
  func `every program prints its version and its options`(program: Program) async throws {
    let version = try await program(["--version"], in: folder.path)
    #expect(version.end == .exited(0), "\(version)")
    let release = /\d+\.\d+\.\d+, build [0-9a-f]{12}/
    let engine = /, libtorch \d+\.\d+\.\d+ with [A-Z0-9_]+/
    let computes = ![Program.tokenize.name, Program.run.name].contains(program.name)
    let line = try #require(version.lines.first)
    #expect(version.lines.count == 1 && line.prefixMatch(of: release) != nil, "\(version)")
    #expect((line.firstMatch(of: engine) != nil) == computes, "\(version)")
    let help = try await program(["--help"], in: folder.path)
    #expect(help.end == .exited(0), "\(help)")
    #expect(help.output.contains("USAGE: \(program.name)"))
  }

  @Test(arguments: Program.all)
  func `an unknown option ends with 64`(program: Program) async throws {
    let outcome = try await program(["--no-such-option"], in: folder.path)
    #expect(outcome.end == .exited(64), "\(outcome)")
    #expect(outcome.errors.hasPrefix("\(program.name): error: "))
    #expect(outcome.output.isEmpty)
  }

  @Test(arguments: Program.stages)
  func `a stage without an output ends with 64`(program: Program) async throws {
    let outcome = try await program([], in: folder.path)
    #expect(outcome.end == .exited(64), "\(outcome)")
  }

  @Test func `a file that becomes larger than the system allows ends with 74, and nothing is left`() async throws {
    try folder.write(corpus(sentences: 2000), to: "text.txt")
    let arguments = ["--corpus", "text.txt", "--vocabulary", "260", "--output", "tokens"]
    let outcome = try await Program.tokenize.start(arguments, in: folder.path, fileLimit: 16).outcome()
    #expect(outcome.end == .exited(74) && outcome.errors.contains("File too large"), "\(outcome)")
    #expect(!Files.exists(folder("tokens")))
    let again = try await Program.tokenize(arguments, in: folder.path)
    #expect(again.end == .exited(0), "\(again)")
  }
}
