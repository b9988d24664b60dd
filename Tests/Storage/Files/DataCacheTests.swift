import Diagnostics
import Files
import TestSupport
import Testing

@Suite struct DataCacheTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test func `data lie beside their descriptor, which is found from them`() throws {
    let descriptor = try folder.write("name: sets\n", to: "data/sets.yaml")
    #expect(DataCache.folder(of: "sets", besideDescriptor: descriptor) == folder("data/cache/sets"))
    for path in ["data/cache/sets", "data/cache/sets/a.gz", "data/cache/sets/deep/a.gz"] {
      #expect(DataCache.descriptor(ofDataAt: folder(path)) == descriptor)
    }
    for path in ["data/cache", "data/cache/others/a.gz", "data/sets/a.gz"] {
      #expect(DataCache.descriptor(ofDataAt: folder(path)) == nil, "\(path)")
    }
  }

  @Test func `a missing file is named, with the command that gets it where one does`() throws {
    let descriptor = try folder.write("name: sets\n", to: "data/sets.yaml")
    let (known, unknown) = (folder("data/cache/sets/a.gguf"), folder("a.gguf"))
    #expect(
      Failure.missing("model", at: known)
        == Failure(
          .missingInput, "there is no such model; get it with: scripts/fetch-data \(descriptor)", at: known))
    #expect(
      Failure.missing("model", at: unknown) == Failure(.missingInput, "there is no such model", at: unknown))
  }
}
