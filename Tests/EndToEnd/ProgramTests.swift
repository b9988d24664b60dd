import TestSupport
import Testing

@Suite struct ProgramTests {
  @Test func x() async throws {
    let folder = try TemporaryFolder()
    for program in Program.all {
      let outcome = try await program(["--version"], in: folder.path)
      #expect(outcome.end == .exited(0), "\(outcome)")
    }
  }
}
