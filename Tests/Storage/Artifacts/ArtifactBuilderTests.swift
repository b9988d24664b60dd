import Artifacts
import Diagnostics
import Files
import Glibc
import TestSupport
import Testing

@Suite struct ArtifactBuilderTests {
  let folder: TemporaryFolder
  let output: String
  /// The content of the output folder after an undisturbed run.
  let expected: [String: [UInt8]]

  init() throws {
    folder = try TemporaryFolder()
    output = folder("out")
    expected = try contents(ArtifactSample.build(folder("undisturbed")).path)
    try Files.remove(folder("undisturbed"))
  }

  private func failure(_ change: (inout StageIdentity) -> Void = { _ in }) throws -> Failure {
    var identity = ArtifactSample.identity
    change(&identity)
    return try #require(throws: Failure.self) { try ArtifactBuilder(output: output, identity: identity) }
  }

  @Test func `publishing leaves the artifact and nothing else`() throws {
    let artifact = try ArtifactSample.build(output + "/")
    #expect(artifact.path == output)
    #expect(try Files.list(folder.path) == ["out"])
    #expect(try contents(output) == expected)
  }

  @Test func `the same command again finds its result finished`() throws {
    let made = try ArtifactSample.build(output)
    let builder = try ArtifactBuilder(output: output, identity: ArtifactSample.identity)
    #expect(builder.alreadyDone?.manifest == made.manifest)
  }

  @Test func `an empty folder may be the output`() throws {
    try Files.makeFolder(output)
    _ = try ArtifactSample.build(output)
    #expect(try contents(output) == expected)
  }

  @Test func `a result of another configuration is refused with the first difference`() throws {
    _ = try ArtifactSample.build(output)
    let refused = try failure { $0.configuration["rho"] = 7.0 }
    #expect(refused.status == .outputExists)
    #expect(refused.message == "is the result of another configuration: configuration.rho was 6.5, is 7.0")
  }

  @Test func `any other file or folder at the output is refused and kept`() throws {
    try folder.write("mine", to: "out/letter.txt")
    #expect(try failure().status == .outputExists)
    #expect(try text(folder("out/letter.txt")) == "mine")
    try Files.remove(output)
    try folder.write("mine", to: "out")
    #expect(try failure().status == .outputExists)
  }

  @Test func `a damaged result does not count as finished`() throws {
    let artifact = try ArtifactSample.build(output)
    try AtomicFile.write("longer than it was", to: try artifact.file("b.bin"))
    let refused = try failure()
    #expect(refused.status == .outputExists)
    #expect(refused.message.contains("b.bin"))
  }

  @Test func `a second builder of the same output is refused with the process that holds the lock`() throws {
    let first = try ArtifactBuilder(output: output, identity: ArtifactSample.identity)
    let refused = try failure()
    #expect(refused.status == .tryAgain)
    #expect(refused.message.contains("process \(getpid()) on "))
    try withExtendedLifetime(first) { _ = try ArtifactBuilder(output: folder("other"), identity: first.identity) }
  }

  @Test func `the lock ends with its builder and with a killed process`() throws {
    _ = try ArtifactBuilder(output: output, identity: ArtifactSample.identity)
    try folder.write("process 1 on nowhere\n", to: "out.lock")
    _ = try ArtifactBuilder(output: output, identity: ArtifactSample.identity)
    #expect(!Files.exists(folder("out.lock")))
  }

  @Test func `unfinished work of another configuration or resolution is refused with the first difference`() throws {
    try Self.begin(folder)
    try folder.write("state", to: "out.partial/checkpoints/000000000001/state")
    let configuration = try failure { $0.configuration["layers"] = [1, 3] }
    #expect(configuration.status == .outputExists)
    #expect(configuration.place == "\(output).partial")
    #expect(configuration.message.contains("configuration.layers[1] was 2, is 3"))
    #expect(try failure { $0.resolution["threads"] = 4 }.message.contains("resolution.threads was 2, is 4"))
    #expect(try ArtifactBuilder(output: output, identity: ArtifactSample.identity).isResumed)
  }

  @Test func `unfinished work of another configuration without a checkpoint is replaced`() throws {
    var other = ArtifactSample.identity
    other.configuration["rho"] = 7.0
    try Self.begin(folder, other)
    try folder.write("half of", to: "out.partial/content/leftover")
    #expect(try !ArtifactBuilder(output: output, identity: ArtifactSample.identity).isResumed)
    _ = try ArtifactSample.build(output)
    #expect(try contents(output) == expected)
  }

  @Test func `a work folder with other files is refused and kept`() throws {
    try folder.write("mine", to: "out.partial/letter.txt")
    #expect(try failure().status == .outputExists)
    #expect(try text(folder("out.partial/letter.txt")) == "mine")
  }

  /// The states that a process leaves when it is stopped at some point.
  static let stops: [(String, @Sendable (TemporaryFolder) throws -> Void)] = [
    ("after making the work folder", { try Files.makeFolder($0("out.partial")) }),
    ("after making the folders in it", { try Files.makeFolder($0("out.partial/content")) }),
    (
      "while noting the identity",
      { folder in
        try Files.makeFolder(folder("out.partial/content"))
        try folder.write("{\"kind\": \"te", to: "out.partial/identity.json.123.new")
      }
    ),
    ("after noting the identity", { try begin($0) }),
    (
      "in the middle of the work",
      { folder in
        try begin(folder)
        try folder.write("half of", to: "out.partial/content/a/one.txt")
        try folder.write("of an older attempt", to: "out.partial/content/leftover")
        try folder.write("state", to: "out.partial/checkpoints/000000000001/state")
        try folder.write("sta", to: "out.partial/checkpoints/000000000002.new/state")
      }
    ),
    (
      "while writing the manifest",
      { folder in
        try begin(folder)
        for (name, content) in ArtifactSample.files { try folder.write(content, to: "out.partial/content/\(name)") }
        try folder.write("{\"schemaVersion", to: "out.partial/content/artifact.json.123.new")
      }
    ),
    (
      "before renaming",
      { folder in
        try begin(folder)
        try Files.rename(ArtifactSample.build(folder("made")).path, to: folder("out.partial/content"))
      }
    ),
    (
      "before removing the work folder",
      { folder in
        try begin(folder)
        try Files.rename(ArtifactSample.build(folder("made")).path, to: folder("out"))
        try Files.remove(folder("out.partial/content"))
      }
    ),
    (
      "while removing the work folder",
      { folder in
        _ = try ArtifactSample.build(folder("out"))
        try Files.makeFolder(folder("out.partial/checkpoints"))
      }
    ),
  ]

  /// Leaves the files of a process that is killed just after its start.
  private static func begin(
    _ folder: TemporaryFolder, _ identity: StageIdentity = ArtifactSample.identity
  ) throws {
    var builder: ArtifactBuilder? = try ArtifactBuilder(output: folder("out"), identity: identity)
    let note = try text(folder("out.partial/identity.json"))
    withExtendedLifetime(builder) {}
    builder = nil
    for name in ["content", "checkpoints"] { try Files.makeFolder(folder("out.partial/\(name)")) }
    try folder.write(note, to: "out.partial/identity.json")
  }

  @Test func `work that failed leaves nothing unless it can be continued`() throws {
    _ = try ArtifactBuilder(output: output, identity: ArtifactSample.identity).path(for: "a/one.txt")
    #expect(try Files.list(folder.path) == [])
    let builder = try ArtifactBuilder(output: output, identity: ArtifactSample.identity)
    try Files.makeFolder("\(builder.checkpointsPath)/000000000001")
    withExtendedLifetime(builder) {}
    #expect(Files.exists(folder("out.partial/identity.json")))
  }

  @Test(arguments: stops.indices)
  func `work stopped at any point is finished by the next run with equal bytes`(stop: Int) throws {
    try Self.stops[stop].1(folder)
    _ = try ArtifactSample.finish(try ArtifactBuilder(output: output, identity: ArtifactSample.identity))
    #expect(try contents(output) == expected, "\(Self.stops[stop].0)")
    #expect(try Files.list(folder.path) == ["out"], "\(Self.stops[stop].0)")
  }

  @Test func `there is no partial manifest while files are already in place`() throws {
    let builder = try ArtifactBuilder(output: output, identity: ArtifactSample.identity)
    let writer = try FileWriter(try builder.path(for: "file"))
    try writer.close()
    let failure = #expect(throws: Failure.self) { try Artifact.open(output) }
    #expect(failure?.status == .missingInput)
    _ = try builder.publish(summary: [:])
    _ = try Artifact.open(output, check: .digests)
  }
}
