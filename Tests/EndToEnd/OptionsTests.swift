import Files
import TestSupport
import Testing

@Suite struct OptionsTests {
  @Test(arguments: Program.all)
  func `OPTIONS.md shows what the program says of itself`(program: Program) async throws {
    let document = words(try text(checkout("OPTIONS.md")))
    let folder = try TemporaryFolder()
    let help = try await program(["--help"], in: folder.path)
    // Not in the expectation, which would print both.
    let isThere = document.contains(words(help.output))
    #expect(isThere, "run scripts/document")
  }

  @Test(arguments: ["run", "status", "why", "graph", "verify", "report", "gc"])
  func `OPTIONS.md shows what the runner says of its commands`(command: String) async throws {
    let document = words(try text(checkout("OPTIONS.md")))
    let help = try await Program.run(["help", command], in: "/")
    let isThere = document.contains(words(help.output))
    #expect(help.end == .exited(0) && isThere, "run scripts/document")
  }

  /// Where lines break depends on the terminal.
  private func words(_ text: String) -> String { text.split(whereSeparator: \.isWhitespace).joined(separator: " ") }
}
