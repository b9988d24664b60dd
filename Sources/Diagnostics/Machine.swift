import CProcess
import Glibc

/// What this process may use of the machine.
public enum Machine {
  /// Processors, as far as `taskset`, Slurm or a container's set of processors lets this process run on them.
  public static var cores: Int {
    let usable = Int(cprocess_usable_cores())
    return usable > 0 ? usable : sysconf(Int32(_SC_NPROCESSORS_ONLN))
  }

  /// Physical memory in bytes.
  public static var memory: Int { sysconf(Int32(_SC_PHYS_PAGES)) * sysconf(Int32(_SC_PAGESIZE)) }
}
