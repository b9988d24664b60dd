// tempnet::temperature_profile, the one pass over a row of logits that tabulates everything a fit needs of it.
#include <ATen/ATen.h>
#include <torch/library.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "lanes.h"

namespace ctorch {
namespace {

/// The nodes of a profile from the highest temperature down, as all rows need them.
struct Nodes {
  std::vector<double> temperatures;
  int64_t per_octave;
  int64_t count() const { return static_cast<int64_t>(temperatures.size()); }
};

/// Sums over the logits of a row at one node: of the weights exp(x/τ), of x and of x² times them.
struct Moments {
  double weight = 0, first = 0, second = 0;
};

/// So many logits at a time stay in the first-level cache, with their squares and weights.
constexpr int64_t tile = 512;

/// Adds a tile of logits to the moments.
///
/// Halving a temperature squares the exponentials, so only the highest octave takes any. Squares that would be denormal
/// numbers are 0: they are slow, and nothing beside the 1 of the greatest logit.
template <int Count>
CTORCH_KERNEL void add_tile(const float *x, int64_t length, const Nodes &nodes, Moments *moments) {
  using L = Lanes<Count>;
  float weights[tile];
  for (int64_t phase = 0; phase < nodes.per_octave && phase < nodes.count(); phase++) {
    const float inverse = static_cast<float>(1 / nodes.temperatures[phase]);
    for (int64_t i = 0; i < length; i += Count) L::store(weights + i, L::exp(L::load(x + i) * inverse));
    for (int64_t node = phase; node < nodes.count(); node += nodes.per_octave) {
      typename L::Floats sums[2][3] = {};
      const bool squares = node != phase;
      for (int64_t i = 0; i < length; i += 2 * Count) {
        for (int half = 0; half < 2; half++) {
          const auto logit = L::load(x + i + half * Count);
          auto weight = L::load(weights + i + half * Count);
          if (squares) {
            weight = L::above(weight, 1.1e-19f, L::all(0));
            weight *= weight;
            L::store(weights + i + half * Count, weight);
          }
          const auto first = weight * logit;
          sums[half][0] += weight;
          sums[half][1] += first;
          sums[half][2] += first * logit;
        }
      }
      moments[node].weight += L::sum(sums[0][0] + sums[1][0]);
      moments[node].first += L::sum(sums[0][1] + sums[1][1]);
      moments[node].second += L::sum(sums[0][2] + sums[1][2]);
    }
  }
}

/// The moments of a row of `width` logits.
template <int Count>
CTORCH_KERNEL void add_row(const float *logits, int64_t width, const Nodes &nodes, Moments *moments) {
  static_assert(tile % (2 * Count) == 0);
  const float maximum = greatest_logit<Count>(logits, width);
  if (std::isnan(maximum)) {
    std::fill(moments, moments + nodes.count(), Moments{NAN, NAN, NAN});
    return;
  }
  // Further down exp is 0 at every node; stopping there keeps 0 * infinity out of the sums.
  const float least = static_cast<float>(-100 * nodes.temperatures[0]);
  float x[tile];
  for (int64_t start = 0; start < width; start += tile) {
    const int64_t count = std::min(tile, width - start);
    for (int64_t j = 0; j < count; j++) x[j] = std::max(logits[start + j] - maximum, least);
    // What fills the last tile weighs nothing.
    const int64_t padded = (count + 2 * Count - 1) / (2 * Count) * (2 * Count);
    std::fill(x + count, x + padded, least);
    add_tile<Count>(x, padded, nodes, moments);
  }
}

void add_row_128(const float *logits, int64_t width, const Nodes &nodes, Moments *moments) {
  add_row<4>(logits, width, nodes, moments);
}
CTORCH_WITH_256 void add_row_256(const float *logits, int64_t width, const Nodes &nodes, Moments *moments) {
  add_row<8>(logits, width, nodes, moments);
}
CTORCH_WITH_512 void add_row_512(const float *logits, int64_t width, const Nodes &nodes, Moments *moments) {
  add_row<16>(logits, width, nodes, moments);
}

/// Value, entropy and variance (see TemperatureProfile.swift), each float32 [N, M], of logits [N, V] in float32 at
/// temperatures, float64 [M], that rise with `per_octave` nodes to the octave.
std::tuple<at::Tensor, at::Tensor, at::Tensor> temperature_profile(
    const at::Tensor &logits, const at::Tensor &temperatures, int64_t per_octave) {
  TORCH_CHECK(logits.dim() == 2 && logits.scalar_type() == at::kFloat, "logits must be float32 [N, V]");
  TORCH_CHECK(logits.size(1) > 0, "a row needs logits");
  TORCH_CHECK(temperatures.dim() == 1 && temperatures.scalar_type() == at::kDouble && temperatures.numel() > 0,
              "temperatures must be float64 [M]");
  TORCH_CHECK(per_octave > 0, "an octave needs nodes");
  const auto input = logits.contiguous();
  const auto rising = temperatures.contiguous();
  const int64_t rows = input.size(0), width = input.size(1), count = rising.numel();
  const double *tau = rising.data_ptr<double>();
  TORCH_CHECK(tau[0] > 0, "temperatures are above 0");
  for (int64_t i = 0; i + per_octave < count; i++) {
    TORCH_CHECK(std::abs(tau[i + per_octave] / tau[i] - 2) < 1e-9, "an octave doubles the temperature");
  }
  Nodes nodes{std::vector<double>(tau, tau + count), per_octave};
  std::reverse(nodes.temperatures.begin(), nodes.temperatures.end());
  const auto value = at::empty({rows, count}, input.options());
  const auto entropy = at::empty_like(value), variance = at::empty_like(value);
  float *values = value.data_ptr<float>(), *entropies = entropy.data_ptr<float>(),
        *variances = variance.data_ptr<float>();
  const float *data = input.data_ptr<float>();
  const auto add = widest_usable(add_row_128, add_row_256, add_row_512);
  in_parallel(rows, [&](int64_t begin, int64_t end) {
    std::vector<Moments> moments(count);
    for (int64_t row = begin; row < end; row++) {
      std::fill(moments.begin(), moments.end(), Moments());
      add(data + row * width, width, nodes, moments.data());
      for (int64_t node = 0; node < count; node++) {
        const double temperature = nodes.temperatures[node], log_partition = std::log(moments[node].weight);
        const double mean = moments[node].first / moments[node].weight;
        const double spread = moments[node].second / moments[node].weight - mean * mean;
        const int64_t place = row * count + count - 1 - node;
        values[place] = static_cast<float>(temperature * log_partition);
        entropies[place] = static_cast<float>(log_partition - mean / temperature);
        variances[place] = static_cast<float>((spread < 0 ? 0 : spread) / (temperature * temperature));
      }
    }
  });
  return {value, entropy, variance};
}

}  // namespace
}  // namespace ctorch

TORCH_LIBRARY_FRAGMENT(tempnet, library) {
  library.def(
      "temperature_profile(Tensor logits, Tensor temperatures, int per_octave) -> (Tensor value, Tensor entropy, "
      "Tensor variance)");
}

TORCH_LIBRARY_IMPL(tempnet, CPU, library) { library.impl("temperature_profile", ctorch::temperature_profile); }
