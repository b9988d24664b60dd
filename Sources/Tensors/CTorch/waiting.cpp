// How threads of libtorch wait for each other.
#if defined(__linux__)
#include <alloca.h>
#include <sys/auxv.h>
#include <unistd.h>

#include <climits>
#include <cstring>

// A thread of libgomp without work spins 300,000 times before it sleeps. On a machine with other work the thread that it
// waits for is often not running, and spinning takes its time. Wall seconds for 12 steps of training (6.4 million
// parameters, two threads on two cores of an EPYC with AVX-512) with processor seconds in brackets, alone and beside four
// busy loops of equal priority; medians on a shared machine:
//
//     300,000 spins   3.6 (6.6)   more than 33
//     30,000          3.6 (6.5)   33 (20)
//     10,000          3.7 (6.7)   17 (9.6)
//     3,000           3.9 (7.0)   16 (7.9)
//
// libgomp reads GOMP_SPINCOUNT when it is loaded, before any code of ours, so that a program without it replaces itself by
// one with it. That happens before the constructors of libtorch, which take most of a program's start, and costs some 50
// ms.

namespace {

constexpr char spins[] = "GOMP_SPINCOUNT=10000";

/// Whether an entry of the environment, `NAME=value`, already says how threads wait.
bool states_waiting(const char *entry) {
  constexpr char count[] = "GOMP_SPINCOUNT=", policy[] = "OMP_WAIT_POLICY=";
  return strncmp(entry, count, sizeof count - 1) == 0 || strncmp(entry, policy, sizeof policy - 1) == 0;
}

/// Runs before any library is initialised, so that it may make system calls only. Where the program cannot replace itself,
/// it goes on without the limit.
void limit_spinning(int, char **arguments, char **environment) {
  int count = 0;
  for (; environment[count]; count++) {
    if (states_waiting(environment[count])) return;
  }
  // Under `ld-linux.so PROGRAM` that file is the loader, which knows nothing of the program.
  if (getauxval(AT_BASE) == 0) return;
  char program[PATH_MAX];
  const ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
  if (length <= 0) return;
  program[length] = 0;
  auto **with_limit = static_cast<char **>(alloca((count + 2) * sizeof(char *)));
  memcpy(with_limit, environment, count * sizeof *environment);
  with_limit[count] = const_cast<char *>(spins);
  with_limit[count + 1] = nullptr;
  execve(program, arguments, with_limit);
}

__attribute__((section(".preinit_array"), used)) void (*const before_libraries)(int, char **, char **) = limit_spinning;

}  // namespace
#endif
