// Calls of the operating system that Swift cannot make because they are variadic in C or take macros.
#include <elf.h>
#include <signal.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
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

/// The magic number of the file system that a path, or an open file, lies on; -1 with errno. See statfs(2).
static inline long cprocess_file_system(const char *path) {
  struct statfs status;
  return statfs(path, &status) == 0 ? (long)status.f_type : -1;
}
static inline long cprocess_file_system_of(int descriptor) {
  struct statfs status;
  return fstatfs(descriptor, &status) == 0 ? (long)status.f_type : -1;
}

/// Copies the first bytes of what the linker calls this program's build id, a digest of all that was linked. Returns how
/// many; 0 where there is none.
static inline int cprocess_build_id(unsigned char *bytes, int capacity) {
  const Elf64_Phdr *parts = (const Elf64_Phdr *)getauxval(AT_PHDR);
  unsigned long count = getauxval(AT_PHNUM), base = 0;
  for (unsigned long i = 0; i < count; i++) {
    if (parts[i].p_type == PT_PHDR) base = (unsigned long)parts - parts[i].p_vaddr;
  }
  for (unsigned long i = 0; i < count; i++) {
    if (parts[i].p_type != PT_NOTE) continue;
    const char *note = (const char *)(base + parts[i].p_vaddr), *end = note + parts[i].p_memsz;
    while (end - note >= (long)sizeof(Elf64_Nhdr)) {
      const Elf64_Nhdr *header = (const Elf64_Nhdr *)note;
      const char *name = note + sizeof *header, *content = name + (header->n_namesz + 3) / 4 * 4;
      if (header->n_type == NT_GNU_BUILD_ID && header->n_namesz == 4 && memcmp(name, "GNU", 4) == 0) {
        int length = header->n_descsz < (unsigned)capacity ? (int)header->n_descsz : capacity;
        memcpy(bytes, content, (unsigned long)length);
        return length;
      }
      note = content + (header->n_descsz + 3) / 4 * 4;
    }
  }
  return 0;
}
