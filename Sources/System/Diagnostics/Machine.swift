import CProcess
import Glibc

/// The processors and the memory that this process may use.
public enum Machine {
  private static let groups = ControlGroups()

  /// The number of processors that `taskset`, Slurm or a container allow this process, at most its control groups' quota.
  public static var cores: Int {
    let usable = Int(cprocess_usable_cores())
    return cores(usable: usable > 0 ? usable : sysconf(Int32(_SC_NPROCESSORS_ONLN)), quota: groups.processors)
  }

  /// A quota of 1.5 processors is two threads: rounded down, a third of it could never be used. Java
  /// and Go from 1.25 on round up as well; Go's automaxprocs and Rust round down, for
  /// servers, whose threads wait for requests and not for each other. libtorch itself knows no quota.
  static func cores(usable: Int, quota: Double?) -> Int {
    guard let quota else { return max(1, usable) }
    return max(1, Int(min(Double(usable), quota.rounded(.up))))
  }

  /// Bytes of memory: the machine's, or the limit of the control groups where that is lower.
  public static var memory: Int {
    min(sysconf(Int32(_SC_PHYS_PAGES)) * sysconf(Int32(_SC_PAGESIZE)), groups.memory ?? .max)
  }
}
