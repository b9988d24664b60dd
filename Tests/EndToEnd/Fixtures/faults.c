// Stands between a program and the system (LD_PRELOAD) and lets chosen calls on the files of one folder fail.
//
//     FAULT_FOLDER    the folder, without symbolic links in its path
//     FAULT_PROGRAM   the only program that is disturbed, by the name of its file; unset: every program
//     FAULT_FILE      the only file that is disturbed, by its name; unset: every file of the folder
//     FAULT_CALLS     which calls count, as letters: w write, s synchronise, t truncate, o open for writing, r rename,
//                     m make a folder or link, u remove
//     FAULT_AT        the first call that fails, counted from 1 in each process
//     FAULT_TIMES     how many fail from there on; unset: all
//     FAULT_ERRNO     what they fail with, writes after half of what they are given; 0: they write half, other calls succeed
//     FAULT_COUNT     a file to which a process adds a line with the number of its calls when it ends
//
// Locks and logs are left alone: that nobody can read who holds a lock, or what was logged, stops no work.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static const char *folder, *only_file, *calls, *count_file;
static long first, times;
static int fault;
static atomic_long seen;

static long number(const char *name, long otherwise) {
  const char *text = getenv(name);
  return text ? atol(text) : otherwise;
}

__attribute__((constructor)) static void begin(void) {
  const char *program = getenv("FAULT_PROGRAM");
  if (program && strcmp(program, program_invocation_short_name) != 0) return;
  calls = getenv("FAULT_CALLS");
  first = number("FAULT_AT", LONG_MAX);
  times = number("FAULT_TIMES", LONG_MAX);
  fault = (int)number("FAULT_ERRNO", EIO);
  only_file = getenv("FAULT_FILE");
  count_file = getenv("FAULT_COUNT");
  folder = calls ? getenv("FAULT_FOLDER") : NULL;
}

__attribute__((destructor)) static void end(void) {
  if (!folder || !count_file) return;
  char line[300];
  int length = snprintf(line, sizeof line, "%ld %s\n", atomic_load(&seen), program_invocation_short_name);
  int file = (int)syscall(SYS_openat, AT_FDCWD, count_file, O_WRONLY | O_CREAT | O_APPEND, 0666);
  if (file < 0) return;
  syscall(SYS_write, file, line, length);
  syscall(SYS_close, file);
}

static int ends_with(const char *text, const char *end) {
  size_t a = strlen(text), b = strlen(end);
  return a >= b && strcmp(text + a - b, end) == 0;
}

// Whether this call is one of those that fail.
static int strikes(char call, const char *path) {
  if (!folder || !strchr(calls, call)) return 0;
  size_t length = strlen(folder);
  if (strncmp(path, folder, length) != 0 || path[length] != '/') return 0;
  if (ends_with(path, ".lock") || ends_with(path, "/lock") || ends_with(path, ".log")) return 0;
  if (only_file && (!ends_with(path, only_file) || path[strlen(path) - strlen(only_file) - 1] != '/')) return 0;
  long index = atomic_fetch_add(&seen, 1) + 1;
  return index >= first && index - first < times;
}

static int strikes_path(char call, const char *path) {
  if (!folder) return 0;
  int saved = errno;
  char whole[2 * PATH_MAX];
  if (path[0] == '/') {
    snprintf(whole, sizeof whole, "%s", path);
  } else {
    char here[PATH_MAX];
    if (!getcwd(here, sizeof here)) return 0;
    snprintf(whole, sizeof whole, "%s/%s", here, path);
  }
  errno = saved;
  return strikes(call, whole);
}

static int strikes_file(char call, int file) {
  if (!folder) return 0;
  int saved = errno;
  char link[64], path[PATH_MAX];
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  ssize_t length = readlink(link, path, sizeof path - 1);
  errno = saved;
  if (length < 0) return 0;
  path[length] = 0;
  return strikes(call, path);
}

#define REAL(type, name, ...)                                             \
  static type (*real)(__VA_ARGS__);                                       \
  if (!real) real = (type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, name)
#define FAIL return errno = fault, -1
static size_t half(size_t count) { return count > 1 ? count / 2 : count; }

ssize_t write(int file, const void *bytes, size_t count) {
  REAL(ssize_t, "write", int, const void *, size_t);
  if (strikes_file('w', file)) {
    if (!fault) return real(file, bytes, half(count));
    // A disk that fails in the middle has taken the first part.
    real(file, bytes, count / 2);
    FAIL;
  }
  return real(file, bytes, count);
}

#define PWRITE(name, offset_type)                                                   \
  ssize_t name(int file, const void *bytes, size_t count, offset_type offset) {     \
    REAL(ssize_t, #name, int, const void *, size_t, offset_type);                   \
    if (strikes_file('w', file)) {                                                  \
      if (fault) FAIL;                                                              \
      count = half(count);                                                          \
    }                                                                               \
    return real(file, bytes, count, offset);                                        \
  }
PWRITE(pwrite, off_t)
PWRITE(pwrite64, off64_t)

ssize_t writev(int file, const struct iovec *parts, int count) {
  REAL(ssize_t, "writev", int, const struct iovec *, int);
  if (strikes_file('w', file)) {
    if (fault) FAIL;
    return write(file, parts[0].iov_base, half(parts[0].iov_len));
  }
  return real(file, parts, count);
}

#define ON_FILE(call, name, ...)                      \
  int name(int file) {                                \
    REAL(int, #name, int);                            \
    if (strikes_file(call, file) && fault) FAIL;      \
    return real(file);                                \
  }
ON_FILE('s', fsync)
ON_FILE('s', fdatasync)

#define TRUNCATE(name, offset_type)                   \
  int name(int file, offset_type length) {            \
    REAL(int, #name, int, offset_type);               \
    if (strikes_file('t', file) && fault) FAIL;       \
    return real(file, length);                        \
  }
TRUNCATE(ftruncate, off_t)
TRUNCATE(ftruncate64, off64_t)

#define OPEN(name)                                                                    \
  int name(const char *path, int flags, ...) {                                        \
    REAL(int, #name, const char *, int, ...);                                         \
    va_list rest;                                                                     \
    va_start(rest, flags);                                                            \
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0;           \
    va_end(rest);                                                                     \
    if ((flags & O_ACCMODE) != O_RDONLY && strikes_path('o', path) && fault) FAIL;    \
    return real(path, flags, mode);                                                   \
  }
OPEN(open)
OPEN(open64)

int rename(const char *old, const char *new) {
  REAL(int, "rename", const char *, const char *);
  if (strikes_path('r', new) && fault) FAIL;
  return real(old, new);
}

int mkdir(const char *path, mode_t mode) {
  REAL(int, "mkdir", const char *, mode_t);
  struct stat status;
  if (stat(path, &status) != 0 && strikes_path('m', path) && fault) FAIL;
  return real(path, mode);
}

int symlink(const char *target, const char *path) {
  REAL(int, "symlink", const char *, const char *);
  if (strikes_path('m', path) && fault) FAIL;
  return real(target, path);
}

#define REMOVE(name)                                  \
  int name(const char *path) {                        \
    REAL(int, #name, const char *);                   \
    if (strikes_path('u', path) && fault) FAIL;       \
    return real(path);                                \
  }
REMOVE(unlink)
REMOVE(rmdir)
