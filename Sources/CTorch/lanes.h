// Vectors of floats for kernels that libtorch has no operator for. One source serves every width: a kernel is a template
// over the number of lanes, instantiated in functions that allow the compiler the instructions of one kind of processor.
#pragma once

#include <ATen/Context.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

// Everything here becomes part of functions that may use the instructions: no vector is ever passed by a call.
#pragma clang diagnostic ignored "-Wpsabi"

namespace ctorch {

/// Code that becomes part of each function that is compiled for other instructions.
#define CTORCH_KERNEL inline __attribute__((always_inline))

template <int Count>
struct Lanes {
  typedef float Floats __attribute__((vector_size(4 * Count)));
  typedef int32_t Integers __attribute__((vector_size(4 * Count)));

  static CTORCH_KERNEL Floats load(const float *from) {
    Floats values;
    memcpy(&values, from, sizeof values);
    return values;
  }
  static CTORCH_KERNEL void store(float *to, Floats values) { memcpy(to, &values, sizeof values); }
  static CTORCH_KERNEL Floats all(float value) { return Floats{} + value; }
  /// `values` where they are greater than `limit`, else `other`.
  static CTORCH_KERNEL Floats above(Floats values, float limit, Floats other) {
    return values > all(limit) ? values : other;
  }
  static CTORCH_KERNEL float greatest(Floats values) {
    float result = values[0];
    for (int lane = 1; lane < Count; lane++) result = values[lane] > result ? values[lane] : result;
    return result;
  }
  /// Whether a comparison holds in every lane.
  static CTORCH_KERNEL bool holds(Integers comparison) {
    bool result = true;
    for (int lane = 0; lane < Count; lane++) result = result && comparison[lane];
    return result;
  }
  static CTORCH_KERNEL double sum(Floats values) {
    double result = 0;
    for (int lane = 0; lane < Count; lane++) result += values[lane];
    return result;
  }

  /// exp of numbers up to 0, and 0 for those below -87, to 2 units in the last place: by Cody and Waite's reduction and
  /// the polynomial of Cephes' expf.
  static CTORCH_KERNEL Floats exp(Floats x) {
    const Floats bounded = above(x, -87.0f, all(-87.0f));
    // Adding 1.5 * 2^23 leaves the nearest whole number in the low bits.
    const Floats magic = all(12582912.0f);
    const Floats shifted = bounded * 1.44269504f + magic;
    const Floats whole = shifted - magic;
    const Floats rest = (bounded - whole * 0.693359375f) + whole * 2.12194440e-4f;
    Floats series = all(1.9875691500e-4f);
    series = series * rest + 1.3981999507e-3f;
    series = series * rest + 8.3334519073e-3f;
    series = series * rest + 4.1665795894e-2f;
    series = series * rest + 1.6666665459e-1f;
    series = series * rest + 5.0000001201e-1f;
    const Floats mantissa = series * rest * rest + rest + 1.0f;
    Integers bits, exponent;
    memcpy(&bits, &mantissa, sizeof bits);
    memcpy(&exponent, &shifted, sizeof exponent);
    bits += exponent << 23;
    Floats result;
    memcpy(&result, &bits, sizeof result);
    return x > all(-87.0f) ? result : all(0.0f);
  }
};

/// Calls `body(begin, end)` for contiguous parts of 0..<count, one for each of libtorch's threads. (`at::parallel_for` runs
/// serially in code that was not compiled with OpenMP.)
template <typename Body>
void in_parallel(int64_t count, const Body &body) {
  const int64_t parts = std::min<int64_t>(count, at::get_num_threads());
  std::vector<std::thread> threads;
  for (int64_t part = 1; part < parts; part++) {
    const auto work = [&, part] { body(count * part / parts, count * (part + 1) / parts); };
    try {
      threads.emplace_back(work);
    } catch (const std::system_error &) {
      work();  // the system gives no further thread
    }
  }
  if (parts > 0) body(0, count / parts);
  for (auto &thread : threads) thread.join();
}

/// The widest vectors that libtorch's own kernels use here: 512, 256 or 128 bits.
inline int vector_bits() {
  static const std::string capability = at::get_cpu_capability();
  return capability == "AVX512" ? 512 : capability == "AVX2" ? 256 : 128;
}

}  // namespace ctorch
