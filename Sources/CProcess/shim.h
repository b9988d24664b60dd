// Calls of the operating system that Swift cannot make because they are variadic in C.
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/// Asks the kernel to send `signal` to this process when its parent dies. Returns 0, or -1 with errno.
static inline int cprocess_signal_on_parent_death(int signal) {
  return prctl(PR_SET_PDEATHSIG, (unsigned long)signal, 0UL, 0UL, 0UL);
}

/// The number of processors that this process may run on, or -1 with errno. Slurm and `taskset` narrow it.
static inline int cprocess_usable_cores(void) {
  unsigned long mask[128];
  long bytes = syscall(SYS_sched_getaffinity, 0, sizeof mask, mask);
  if (bytes < 0) return -1;
  int cores = 0;
  for (long word = 0; word < bytes / (long)sizeof *mask; word++) cores += __builtin_popcountl(mask[word]);
  return cores;
}
