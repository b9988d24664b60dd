import Files
import Glibc
import TestSupport
import Testing

@Suite struct TokenizeProgramTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func command(_ arguments: [String]) -> StageCommand {
    StageCommand(program: .tokenize, arguments: arguments, folder: folder.path)
  }

  @Test func `two processes write the same bytes, with whatever number of threads`() async throws {
    try folder.write(corpus(sentences: 2000), to: "text.txt")
    let arguments = ["--corpus", "text.txt", "--vocabulary", "380", "--quiet"]
    let first = try await command(arguments + ["--set", "threads=1"]).finish("first", isQuiet: true)
    let second = try await command(arguments + ["--set", "threads=2"]).finish("second", isQuiet: true)
    #expect(first.differences(from: second) == [])
  }

  @Test func `an existing artifact is not made again, and another one is not overwritten`() async throws {
    try folder.write(corpus(sentences: 200), to: "text.txt")
    let content = try await command(["--corpus", "text.txt", "--vocabulary", "300"]).finish("tokens")
    #expect(try await command(["--corpus", "text.txt", "--vocabulary", "300"]).finish("tokens") == content)
    let other = try await Program.tokenize(
      ["--corpus", "text.txt", "--vocabulary", "301", "--output", "tokens"], in: folder.path)
    #expect(other.end == .exited(73), "\(other)")
    #expect(try ArtifactContent(folder("tokens")) == content)
  }

  @Test func `killed at a random moment and run again, it writes the same bytes`() async throws {
    try folder.write(corpus(sentences: 200_000), to: "text.txt")
    let tokenize = command(["--corpus", "text.txt", "--vocabulary", "380"])
    let start = ContinuousClock.now
    let undisturbed = try await tokenize.finish("undisturbed")
    try await tokenize.kill("killed", once: .started, within: (ContinuousClock.now - start) / 3)
    #expect(!Files.exists(folder("killed")), "nothing half done may look like an artifact")
    #expect(try await tokenize.finish("killed").differences(from: undisturbed) == [])
  }

  @Test func `a missing text ends with 66`() async throws {
    let outcome = try await Program.tokenize(["--corpus", "absent.txt", "--output", "tokens"], in: folder.path)
    #expect(outcome.end == .exited(66), "\(outcome)")
    #expect(outcome.errors.contains("absent.txt"))
  }

  @Test func `a misspelt key ends with 78, and the message has the right one`() async throws {
    try folder.write("corpus: [text.txt]\nvocabulery: 300\n", to: "configuration.yaml")
    let outcome = try await Program.tokenize(
      ["--config", "configuration.yaml", "--output", "tokens"], in: folder.path)
    #expect(outcome.end == .exited(78), "\(outcome)")
    #expect(outcome.errors.contains("line 2") && outcome.errors.contains("'vocabulary'"), "\(outcome)")
  }

  @Test func `a damaged archive ends with 65`() async throws {
    // gzip's header, then bytes that are not deflate data.
    try AtomicFile.write(
      [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3] + [UInt8](repeating: 0xff, count: 100), to: folder("text.txt.gz"))
    let outcome = try await Program.tokenize(["--corpus", "text.txt.gz", "--output", "tokens"], in: folder.path)
    #expect(outcome.end == .exited(65), "\(outcome)")
  }
}
