// tempnet::tempered_moments, the one pass over a row of logits that says all about its distribution at one temperature.
#include <ATen/ATen.h>
#include <torch/library.h>

#include <cmath>

#include "lanes.h"

namespace ctorch {
namespace {

/// Sums over the logits of a row of w = exp(x/τ), of w x/τ, of w (x/τ)² and of w², for logits x counted from the greatest.
struct Moments {
  double weight = 0, first = 0, second = 0, squares = 0;
};

/// The moments of a row of `width` logits.
template <int Count>
CTORCH_KERNEL void add_row(const float *logits, int64_t width, double tau, Moments *moments) {
  using L = DoubleLanes<Count>;
  using Doubles = typename L::Doubles;
  const double maximum = greatest_logit<2 * Count>(logits, width), inverse = 1 / tau;
  if (!std::isfinite(maximum) || !(tau > 0)) {
    *moments = {NAN, NAN, NAN, NAN};
    return;
  }
  Doubles sums[2][4] = {};
  const auto add = [&](const float *from, Doubles *sums) __attribute__((always_inline)) {
    // Further down exp is 0; stopping there keeps 0 * infinity out of the sums.
    const Doubles exponent = L::above((L::load(from) - maximum) * inverse, -1000);
    const Doubles weight = L::exp(exponent), first = weight * exponent;
    sums[0] += weight;
    sums[1] += first;
    sums[2] += first * exponent;
    sums[3] += weight * weight;
  };
  int64_t i = 0;
  for (; i + 2 * Count <= width; i += 2 * Count) {
    add(logits + i, sums[0]);
    add(logits + i + Count, sums[1]);
  }
  if (i < width) {
    // What fills the last lanes weighs nothing.
    float rest[2 * Count];
    std::fill(std::copy(logits + i, logits + width, rest), rest + 2 * Count, -INFINITY);
    add(rest, sums[0]);
    add(rest + Count, sums[1]);
  }
  *moments = {
      L::sum(sums[0][0] + sums[1][0]), L::sum(sums[0][1] + sums[1][1]), L::sum(sums[0][2] + sums[1][2]),
      L::sum(sums[0][3] + sums[1][3])};
}

void add_row_128(const float *logits, int64_t width, double tau, Moments *moments) {
  add_row<2>(logits, width, tau, moments);
}
CTORCH_WITH_256 void add_row_256(const float *logits, int64_t width, double tau, Moments *moments) {
  add_row<4>(logits, width, tau, moments);
}
CTORCH_WITH_512 void add_row_512(const float *logits, int64_t width, double tau, Moments *moments) {
  add_row<8>(logits, width, tau, moments);
}

/// Log partition, mean, variance and collision probability (see TemperedStatistics.swift), each float64 [N], of logits
/// [N, V] in float32 at temperatures, float64 [N].
std::tuple<at::Tensor, at::Tensor, at::Tensor, at::Tensor> tempered_moments(
    const at::Tensor &logits, const at::Tensor &temperatures) {
  TORCH_CHECK(logits.dim() == 2 && logits.scalar_type() == at::kFloat, "logits must be float32 [N, V]");
  TORCH_CHECK(logits.size(1) > 0, "a row needs logits");
  TORCH_CHECK(temperatures.dim() == 1 && temperatures.scalar_type() == at::kDouble &&
                  temperatures.size(0) == logits.size(0),
              "temperatures must be float64 [N]");
  const auto input = logits.contiguous(), taus = temperatures.contiguous();
  const int64_t rows = input.size(0), width = input.size(1);
  const auto log_partition = at::empty({rows}, taus.options());
  const auto mean = at::empty_like(log_partition), variance = at::empty_like(log_partition),
             collision = at::empty_like(log_partition);
  const float *data = input.data_ptr<float>();
  const double *tau = taus.data_ptr<double>();
  double *log_partitions = log_partition.data_ptr<double>(), *means = mean.data_ptr<double>(),
         *variances = variance.data_ptr<double>(), *collisions = collision.data_ptr<double>();
  const auto add = widest_usable(add_row_128, add_row_256, add_row_512);
  in_parallel(rows, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; row++) {
      Moments moments;
      add(data + row * width, width, tau[row], &moments);
      log_partitions[row] = std::log(moments.weight);
      means[row] = moments.first / moments.weight;
      const double spread = moments.second / moments.weight - means[row] * means[row];
      variances[row] = spread < 0 ? 0 : spread;
      collisions[row] = moments.squares / (moments.weight * moments.weight);
    }
  });
  return {log_partition, mean, variance, collision};
}

}  // namespace
}  // namespace ctorch

TORCH_LIBRARY_FRAGMENT(tempnet, library) {
  library.def(
      "tempered_moments(Tensor logits, Tensor temperatures) -> (Tensor log_partition, Tensor mean, Tensor variance, "
      "Tensor collision)");
}

TORCH_LIBRARY_IMPL(tempnet, CPU, library) { library.impl("tempered_moments", ctorch::tempered_moments); }
