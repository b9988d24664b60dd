import Foundation
import TestSupport
import Testing

/// The parts of scripts/bench that do not measure.
@Suite struct BenchTests {
  @Test(.enabled(if: python != nil || slowTestsEnabled))
  func `a peer's environment is made once, and again when its recipe changes`() throws {
    let python = try #require(python, "TEMPNET_PYTHON names no interpreter; scripts/test --all sets it")
    let folder = try TemporaryFolder()
    let peers = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../scripts/peers")
    // Nothing is installed; the test counts the commands that would run.
    try folder.write(
      """
      import pathlib, sys
      sys.dont_write_bytecode = True
      sys.path.insert(0, sys.argv[1])
      import bench
      bench.ROOT = pathlib.Path(sys.argv[2])
      commands = []
      def run(command):
          commands.append(command)
          (bench.ROOT / ".python/peer-1.0/lib/python3/site-packages").mkdir(parents=True, exist_ok=True)
      bench.run = run
      def count(**words):
          commands.clear()
          bench.installed("peer", "1.0", **words)
          return len(commands)
      assert (count(), count()) == (2, 0)
      assert (count(alone_with=["torch"]), count(alone_with=["torch"]), count()) == (2, 0, 2)
      sys.path.append("/elsewhere/site-packages")
      assert (count(), count()) == (2, 0)
      # As an earlier version left it.
      (bench.ROOT / ".python/peer-1.0/complete").write_text("")
      assert (count(), count()) == (2, 0)
      """, to: "check.py")
    let process = Process()
    process.executableURL = URL(filePath: python)
    process.arguments = [folder("check.py"), peers.path, folder.path]
    try process.run()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
  }
}
