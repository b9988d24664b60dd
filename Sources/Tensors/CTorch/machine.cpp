// The process and the machine: preparation, threads, devices, versions.
#include <ATen/ATen.h>
#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <dlfcn.h>
#include <malloc.h>
#include <torch/cuda.h>
#include <torch/version.h>

#include <climits>
#include <cstdlib>
#include <cstring>

#include "boundary.h"
#include "ctorch.h"
#include "memory.h"
#include "processor.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

thread_local std::string ctorch::last_error;

using namespace ctorch;

namespace {

#if defined(__x86_64__)
/// Bits of CPUID's leaf 7, register d.
constexpr unsigned amx_bfloat16 = 1u << 22, amx_tile = 1u << 24;

bool announces(unsigned bits) {
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (d & bits) == bits;
}

/// Whether the operating system keeps tiles for its programs (bits 17 and 18 of XCR0): older ones do not, nor do some
/// hypervisors.
bool system_keeps_tiles() {
  constexpr unsigned osxsave = 1u << 27, tiles = 3u << 17;
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & osxsave)) return false;
  __asm__("xgetbv" : "=a"(a), "=d"(d) : "c"(0));
  return (a & tiles) == tiles;
}
#endif

/// Some virtual machines announce AMX tiles (leaf 7) but report no tile palette (leaf 0x1D is empty). oneDNN then
/// dies of SIGILL at its first bfloat16 product, so that the environment has to exclude AMX before oneDNN reads it.
void avoid_broken_amx() {
#if defined(__x86_64__)
  if (!announces(amx_tile)) return;
  unsigned palettes = 0, b = 0, c = 0, d = 0;
  if (__get_cpuid_count(0x1D, 0, &palettes, &b, &c, &d) && palettes > 0) return;
  setenv("ONEDNN_MAX_CPU_ISA", "AVX512_CORE_FP16", 0);
#endif
}

}  // namespace

bool ctorch::is_made_by_intel() {
#if defined(__x86_64__)
  // On virtual machines CPUID calls the host, which takes some microseconds.
  static const bool result = [] {
    unsigned highest = 0, name[3] = {};
    return __get_cpuid(0, &highest, &name[0], &name[2], &name[1]) && memcmp(name, "GenuineIntel", sizeof name) == 0;
  }();
  return result;
#else
  return false;
#endif
}

bool ctorch::has_wide_vectors() { return at::get_cpu_capability() == "AVX512"; }

bool ctorch::has_paired_products() {
#if defined(__x86_64__)
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid_count(7, 1, &a, &b, &c, &d) && (a & 1u << 5) && has_wide_vectors();
#else
  return false;
#endif
}

bool ctorch::has_matrix_units() {
#if defined(__x86_64__)
  static const bool result = announces(amx_tile | amx_bfloat16) && system_keeps_tiles();
  return result;
#else
  return false;
#endif
}

const char *ctorch_last_error(void) { return last_error.c_str(); }

int ctorch_initialize(void) {
  return guarded([] {
    avoid_broken_amx();
    // cuBLAS repeats its results only with a workspace of a stated size.
    setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8", 0);
    use_tensor_allocator();
    // The C library keeps freed memory too, of small tensors and of libraries, up to the largest thresholds that it accepts.
    mallopt(M_MMAP_THRESHOLD, 32 << 20);
    mallopt(M_TRIM_THRESHOLD, INT_MAX);
    at::globalContext().setDeterministicAlgorithms(true, false);
    at::globalContext().setDeterministicFillUninitializedMemory(false);
    at::globalContext().setFlushDenormal(true);
  });
}

int ctorch_seed(uint64_t seed) {
  return guarded([&] { at::manual_seed(seed); });
}

int ctorch_threads(void) { return at::get_num_threads(); }

int ctorch_set_threads(int count) {
  return guarded([&] { at::set_num_threads(count); });
}

bool ctorch_load_cuda(void) {
  // Not linked, so that programs start without it.
  static const bool loaded = dlopen("libtorch_cuda.so", RTLD_NOW | RTLD_GLOBAL) != nullptr;
  bool usable = false;
  guarded([&] { usable = loaded && torch::cuda::device_count() > 0; });
  return usable;
}

const char *ctorch_version(void) { return TORCH_VERSION; }

const char *ctorch_cpu_capability(void) {
  static const std::string capability = at::get_cpu_capability();
  return capability.c_str();
}
