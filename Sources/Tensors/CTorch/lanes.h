// Vectors of floats for kernels that libtorch has no operator for. One source serves every width: a kernel is a template
// over the number of lanes, instantiated in functions that allow the compiler the instructions of one kind of processor.
#pragma once

#include <ATen/Context.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <string>

// Everything here becomes part of functions that may use the instructions: no vector is ever passed by a call.
#pragma clang diagnostic ignored "-Wpsabi"

namespace ctorch {

/// A function that is inlined into each of the functions that are compiled for a width.
#define CTORCH_KERNEL inline __attribute__((always_inline))

template <int Count>
struct Lanes {
  typedef float Floats __attribute__((vector_size(4 * Count)));
  typedef int32_t Integers __attribute__((vector_size(4 * Count)));
  /// The name that kernels for both precisions use.
  typedef float Number;
  typedef Floats Numbers;
  static constexpr int count = Count;

  static CTORCH_KERNEL Floats load(const float *from) {
    Floats values;
    memcpy(&values, from, sizeof values);
    return values;
  }
  /// bfloat16, converted to float32.
  static CTORCH_KERNEL Floats load(const c10::BFloat16 *from) {
    typedef uint16_t Halves __attribute__((vector_size(2 * Count)));
    Halves halves;
    memcpy(&halves, from, sizeof halves);
    const Integers bits = __builtin_convertvector(halves, Integers) << 16;
    Floats values;
    memcpy(&values, &bits, sizeof values);
    return values;
  }
  static CTORCH_KERNEL void store(float *to, Floats values) { memcpy(to, &values, sizeof values); }
  static CTORCH_KERNEL Floats all(float value) { return Floats{} + value; }
  /// `values` where they are greater than `limit`, else `other`.
  static CTORCH_KERNEL Floats above(Floats values, float limit, Floats other) {
    return values > all(limit) ? values : other;
  }
  static CTORCH_KERNEL Floats above(Floats values, float limit) { return above(values, limit, all(limit)); }
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

/// As `Lanes`, for numbers in double precision.
template <int Count>
struct DoubleLanes {
  typedef double Doubles __attribute__((vector_size(8 * Count)));
  typedef int64_t Integers __attribute__((vector_size(8 * Count)));
  typedef float Floats __attribute__((vector_size(4 * Count)));
  typedef double Number;
  typedef Doubles Numbers;
  static constexpr int count = Count;

  /// float32, converted to float64.
  static CTORCH_KERNEL Doubles load(const float *from) {
    Floats values;
    memcpy(&values, from, sizeof values);
    return __builtin_convertvector(values, Doubles);
  }
  static CTORCH_KERNEL Doubles all(double value) { return Doubles{} + value; }
  static CTORCH_KERNEL Doubles above(Doubles values, double limit) {
    return values > all(limit) ? values : all(limit);
  }
  static CTORCH_KERNEL double sum(Doubles values) {
    double result = 0;
    for (int lane = 0; lane < Count; lane++) result += values[lane];
    return result;
  }

  /// exp of numbers from -708 to 0, to a relative error of 1e-14: by Cody and Waite's reduction and Taylor's series, whose rest
  /// at ln 2 / 2 is 6e-15.
  static CTORCH_KERNEL Doubles exp(Doubles x) {
    // Adding 1.5 * 2^52 leaves the nearest whole number in the low bits.
    const Doubles magic = all(6755399441055744.0);
    const Doubles shifted = x * 1.4426950408889634 + magic;
    const Doubles whole = shifted - magic;
    const Doubles rest = (x - whole * 6.93145751953125e-1) - whole * 1.42860682030941723212e-6;
    Doubles series = all(1.0 / 39916800);
    series = series * rest + 1.0 / 3628800;
    series = series * rest + 1.0 / 362880;
    series = series * rest + 1.0 / 40320;
    series = series * rest + 1.0 / 5040;
    series = series * rest + 1.0 / 720;
    series = series * rest + 1.0 / 120;
    series = series * rest + 1.0 / 24;
    series = series * rest + 1.0 / 6;
    series = series * rest + 0.5;
    const Doubles mantissa = series * rest * rest + rest + 1.0;
    Integers bits, exponent;
    memcpy(&bits, &mantissa, sizeof bits);
    memcpy(&exponent, &shifted, sizeof exponent);
    bits += exponent << 52;
    Doubles result;
    memcpy(&result, &bits, sizeof result);
    return result;
  }
};

/// Σ a b of `count` floats and floats or bfloat16, with sums in float32.
template <int Count, typename Number>
CTORCH_KERNEL float dot(const float *a, const Number *b, int64_t length) {
  using L = Lanes<Count>;
  typename L::Floats sums[4] = {};
  int64_t i = 0;
  for (; i + 4 * Count <= length; i += 4 * Count) {
    for (int part = 0; part < 4; part++) {
      sums[part] += L::load(a + i + part * Count) * L::load(b + i + part * Count);
    }
  }
  for (; i + Count <= length; i += Count) sums[0] += L::load(a + i) * L::load(b + i);
  float rest = 0;
  for (; i < length; i++) rest += a[i] * static_cast<float>(b[i]);
  return static_cast<float>(L::sum((sums[0] + sums[1]) + (sums[2] + sums[3]))) + rest;
}

/// The greatest of logits; NaN where they have no softmax: one is NaN or infinite, or all are minus infinity. Minus
/// infinity beside finite logits is allowed: its token has probability 0.
template <int Count>
CTORCH_KERNEL float greatest_logit(const float *logits, int64_t width) {
  using L = Lanes<Count>;
  auto greatest = L::all(-INFINITY);
  // Neither NaN nor infinity is below infinity.
  auto below = greatest < INFINITY;
  int64_t i = 0;
  for (; i + Count <= width; i += Count) {
    const auto values = L::load(logits + i);
    below &= values < INFINITY;
    greatest = values > greatest ? values : greatest;
  }
  float result = L::greatest(greatest);
  bool is_sound = L::holds(below);
  for (; i < width; i++) {
    is_sound = is_sound && logits[i] < INFINITY;
    result = std::max(result, logits[i]);
  }
  return is_sound ? result : NAN;
}

/// Allow the compiler the instructions for vectors of 256 or 512 bits.
#if defined(__x86_64__)
#define CTORCH_WITH_256 __attribute__((target("avx2,fma")))
#define CTORCH_WITH_512 __attribute__((target("avx512f,avx512vl,avx512dq,avx512bw,fma")))
#else
#define CTORCH_WITH_256
#define CTORCH_WITH_512
#endif

/// Chooses between three versions of a kernel: the widest vectors that libtorch's own kernels use here.
template <typename Kernel>
Kernel widest_usable(Kernel with_128, Kernel with_256, Kernel with_512) {
  static const std::string capability = at::get_cpu_capability();
  return capability == "AVX512" ? with_512 : capability == "AVX2" ? with_256 : with_128;
}

}  // namespace ctorch
