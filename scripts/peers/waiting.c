// Preloaded into a program that computes with libgomp: measures how long its main thread waits for the other threads.
//
// At the program's end one line per kind of parallel region goes to the file that WAITING_REPORT names: regions, seconds
// of the main thread in the region's body, seconds that it waited, the library that began the region, and the nearest
// exported symbol, or `?`. Barriers within a body count as waiting; spins of MKL's own within a body do not.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <execinfo.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { KINDS = 4096 };

typedef void Body(void *);

typedef struct {
  void *caller;
  long regions;
  double body, waiting;
} Kind;

typedef struct {
  Body *body;
  void *data;
  double seconds, barriers;
} Region;

static Kind kinds[KINDS];
// Of the main thread alone.
static double barrier_seconds;
static int is_inside;

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static int is_main(void) { return syscall(SYS_gettid) == getpid(); }

// The place that began a region: frame 0 is this function, 1 GOMP_parallel, 2 what called that, as at::parallel_for or a
// part of MKL does, and 3 the caller of it.
__attribute__((noinline)) static void *caller(void) {
  void *frames[5] = {0};
  return backtrace(frames, 5) > 3 ? frames[3] : NULL;
}

static void timed(void *argument) {
  Region *region = argument;
  if (!is_main()) {
    region->body(region->data);
    return;
  }
  barrier_seconds = 0;
  double start = now();
  region->body(region->data);
  region->seconds = now() - start;
  region->barriers = barrier_seconds;
}

void GOMP_parallel(Body *body, void *data, unsigned threads, unsigned flags) {
  static void (*real)(Body *, void *, unsigned, unsigned);
  if (!real) *(void **)&real = dlsym(RTLD_NEXT, "GOMP_parallel");
  if (is_inside || !is_main()) {
    real(body, data, threads, flags);
    return;
  }
  Region region = {body, data, 0, 0};
  void *place = caller();
  is_inside = 1;
  double start = now();
  real(timed, &region, threads, flags);
  double seconds = now() - start;
  is_inside = 0;
  unsigned slot = (unsigned)((uintptr_t)place >> 3) % KINDS;
  for (unsigned tried = 0; kinds[slot].regions && kinds[slot].caller != place; slot = (slot + 1) % KINDS) {
    if (++tried == KINDS) return;
  }
  kinds[slot].caller = place;
  kinds[slot].regions += 1;
  kinds[slot].body += region.seconds - region.barriers;
  kinds[slot].waiting += seconds - region.seconds + region.barriers;
}

void GOMP_barrier(void) {
  static void (*real)(void);
  if (!real) *(void **)&real = dlsym(RTLD_NEXT, "GOMP_barrier");
  double start = now();
  real();
  if (is_main()) barrier_seconds += now() - start;
}

__attribute__((destructor)) static void report(void) {
  const char *path = getenv("WAITING_REPORT");
  FILE *file = path ? fopen(path, "a") : NULL;
  if (!file) return;
  for (int index = 0; index < KINDS; ++index) {
    const Kind *kind = &kinds[index];
    if (!kind->regions) continue;
    Dl_info place = {0};
    int is_known = dladdr(kind->caller, &place);
    fprintf(file, "%ld\t%.6f\t%.6f\t%s\t%s\n", kind->regions, kind->body, kind->waiting, is_known ? place.dli_fname : "?",
            is_known && place.dli_sname ? place.dli_sname : "?");
  }
  fclose(file);
}
