import CProcess
import Glibc

/// Disks of other machines, which may show names and times late.
public enum NetworkDisk {
  /// Magic numbers of Linux's file systems, from statfs(2) and their kernel modules.
  private static let types: Set<UInt32> = [
    0x6969,  // NFS
    0x517B, 0xFF53_4D42, 0xFE53_4D42,  // SMB, CIFS, SMB 2
    0x0BD0_0BD3,  // Lustre
    0x00C3_6400,  // Ceph
    0x4750_4653,  // GPFS
    0x1983_0326,  // BeeGFS
    0x2003_0528,  // OrangeFS
    0x7461_636F, 0x0116_1970,  // OCFS2, GFS2
    0x5346_414F, 0x6B41_4653,  // AFS
    0x0102_1997,  // 9P
    0x6573_5546,  // FUSE, as of GlusterFS and sshfs
  ]

  /// Whether an open file lies on a network disk.
  static func holds(_ descriptor: Int32) -> Bool { isNetwork(cprocess_file_system_of(descriptor)) }

  /// Whether a file or folder, or the nearest existing folder above it, lies on a network disk.
  public static func holds(_ path: String) -> Bool {
    var path = path.isEmpty ? "." : path
    while true {
      let type = cprocess_file_system(path)
      if type >= 0 { return isNetwork(type) }
      let folder = Files.folder(of: path)
      guard errno == ENOENT, folder != path else { return false }
      path = folder
    }
  }

  /// - Parameter type: the kernel's magic number, which some machines extend with its sign.
  static func isNetwork(_ type: Int) -> Bool { types.contains(UInt32(truncatingIfNeeded: type)) }
}
