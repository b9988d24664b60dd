import Files
import TestSupport
import Testing

@Suite struct OptionsTests {
  @Test(arguments: Program.all)
  func `OPTIONS.md contains the help of each program`(program: Program) async throws {
    let document = words(try text(checkout("OPTIONS.md")))
    let folder = try TemporaryFolder()
    let help = try await program(["--help"], in: folder.path)
    // Outside the expectation, which would print both texts.
    let isThere = document.contains(words(help.output))
    #expect(isThere, "run scripts/document")
  }

  @Test(arguments: ["run", "status", "why", "graph", "verify", "report", "gc", "needs"])
  func `OPTIONS.md contains the help of the runner's commands`(command: String) async throws {
    let document = words(try text(checkout("OPTIONS.md")))
    let help = try await Program.run(["help", command], in: "/")
    let isThere = document.contains(words(help.output))
    #expect(help.end == .exited(0) && isThere, "run scripts/document")
  }

  /// Line breaks depend on the terminal.
  private func words(_ text: String) -> String { text.split(whereSeparator: \.isWhitespace).joined(separator: " ") }
}
