import Diagnostics
import TestSupport
import Testing

@testable import Files

@Suite struct FileLockTests {
  private let folder = try! TemporaryFolder()

  @Test func `on a network disk the file stays, and locks as before`() throws {
    let path = folder("lock")
    for _ in 0..<2 {
      let lock = try FileLock(path, staysAfterwards: true)
      #expect(FileLock.holder(path) != nil)
      #expect { try FileLock(path) } throws: { ($0 as? Failure)?.status == .tryAgain }
      withExtendedLifetime(lock) {}
    }
    #expect(Files.exists(path) && FileLock.holder(path) == nil)
    // Released under the other rule it goes.
    withExtendedLifetime(try FileLock(path, staysAfterwards: false)) {}
    #expect(!Files.exists(path))
  }

  @Test func `disks of other machines are told apart from those of this one`() throws {
    // Numbers of statfs(2): NFS, Lustre and FUSE; ext4, btrfs, overlayfs, tmpfs.
    for type in [0x6969, 0x0BD0_0BD3, 0x6573_5546] { #expect(NetworkDisk.isNetwork(type)) }
    for type in [0xEF53, 0x9123_683E, 0x794C_7630, 0x0102_1994] { #expect(!NetworkDisk.isNetwork(type)) }
  }

  @Test func `a place that does not exist yet lies on the disk of the folder above`() {
    #expect(NetworkDisk.holds(folder("a/b/c")) == NetworkDisk.holds(folder.path))
    #expect(!NetworkDisk.holds("/proc/none/none"))
  }

  @Test func `two that write one file never share a temporary name`() {
    #expect(Set((0..<1000).map { _ in AtomicFile.temporaryName(for: "a") }).count == 1000)
  }
}
