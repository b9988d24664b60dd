import Artifacts
import Diagnostics
import Files
import TestSupport
import Testing

@Suite struct CheckpointFolderTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func open(keep: Int = 2) throws -> CheckpointFolder { try CheckpointFolder(folder.path, keep: keep) }

  private func save(_ checkpoints: CheckpointFolder, _ step: Int, isBest: Bool = false) throws {
    try checkpoints.save(step: step, isBest: isBest) { try AtomicFile.write("step \(step)", to: "\($0)/state") }
  }

  @Test func `the newest complete checkpoint is found`() throws {
    let checkpoints = try open()
    #expect(try checkpoints.latest() == nil)
    for step in [5, 100, 20] { try save(checkpoints, step) }
    let latest = try #require(try checkpoints.latest())
    #expect(latest.step == 100)
    #expect(try text("\(latest.path)/state") == "step 100")
  }

  @Test func `the newest few and the best are kept`() throws {
    let checkpoints = try open(keep: 2)
    for step in 1...6 { try save(checkpoints, step, isBest: step == 2) }
    #expect(try checkpoints.steps() == [2, 5, 6])
    #expect(try checkpoints.best()?.step == 2)
    try save(checkpoints, 7, isBest: true)
    #expect(try checkpoints.steps() == [6, 7])
    #expect(try open().best()?.step == 7)
  }

  @Test(arguments: ["state", "digests.json"])
  func `a damaged checkpoint is skipped for the one before it`(file: String) throws {
    let checkpoints = try open(keep: 3)
    for step in 1...3 { try save(checkpoints, step, isBest: step == 1) }
    try folder.write("stepped", to: "000000000003/\(file)")
    #expect(try open(keep: 3).latest()?.step == 2)
    #expect(try checkpoints.steps() == [1, 2], "it is made again when its step comes")
    try Files.remove(folder("000000000002/\(file)"))
    #expect(try open(keep: 3).latest()?.step == 1)
  }

  @Test func `without its best checkpoint, work begins anew`() throws {
    let checkpoints = try open(keep: 3)
    for step in 1...3 { try save(checkpoints, step, isBest: step == 2) }
    try folder.write("stepped", to: "000000000002/state")
    #expect(try open(keep: 3).latest() == nil)
    #expect(try Files.list(folder.path).isEmpty)
  }

  @Test func `an unfinished checkpoint is ignored and removed`() throws {
    try save(try open(), 1)
    try folder.write("half", to: "000000000002.new/state")
    let checkpoints = try open()
    #expect(try checkpoints.latest()?.step == 1)
    #expect(try Files.list(folder.path) == ["000000000001"])
  }

  @Test func `a failure while saving leaves the earlier ones`() throws {
    let checkpoints = try open()
    try save(checkpoints, 1)
    #expect(throws: Failure.self) {
      try checkpoints.save(step: 2) { folder in
        try AtomicFile.write("half", to: "\(folder)/state")
        throw Failure(.inputOutput, "no space")
      }
    }
    #expect(try checkpoints.steps() == [1])
    try save(checkpoints, 2)
    #expect(try text(try #require(try checkpoints.latest()).path + "/state") == "step 2")
  }

  @Test func `a step saved twice keeps its first content and may become the best`() throws {
    let checkpoints = try open()
    try save(checkpoints, 1)
    try checkpoints.save(step: 1, isBest: true) { try AtomicFile.write("other", to: "\($0)/state") }
    #expect(try text("\(folder.path)/000000000001/state") == "step 1")
    #expect(try checkpoints.best()?.step == 1)
  }

  @Test(arguments: ["", "x", "12"])
  func `a broken mark of the best is an error`(mark: String) throws {
    let checkpoints = try open()
    try save(checkpoints, 1)
    try folder.write(mark, to: "best")
    #expect(throws: Failure.self) { try checkpoints.best() }
  }
}
