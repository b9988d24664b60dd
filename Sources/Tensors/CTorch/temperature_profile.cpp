// The tables that a fit reads instead of logits, in one pass over them: tempnet::temperature_profile of given logits, and
// tempnet::unembedding_profile of the logits of an unembedding, which exist for a slice of the vocabulary at a time.
#include <ATen/ATen.h>
#include <torch/library.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "labels.h"
#include "lanes.h"
#include "parallel.h"
#include "product.h"

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

/// How many logits fit the first-level cache with their squares and weights.
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

/// The state of a row after some of its logits. Moments are of logits minus the greatest so far.
struct RowState {
  double maximum = -INFINITY, sum = 0, squares = 0;
};

/// Converts the moments to a maximum that is greater by `rise`.
void lower(double rise, const Nodes &nodes, Moments *moments) {
  for (int64_t node = 0; node < nodes.count(); node++) {
    auto &[weight, first, second] = moments[node];
    const double factor = std::exp(-rise / nodes.temperatures[node]);
    second = factor * (second - 2 * rise * first + rise * rise * weight);
    first = factor * (first - rise * weight);
    weight *= factor;
  }
}

/// Adds `width` further logits of a row.
template <int Count>
CTORCH_KERNEL void add_slice(const float *logits, int64_t width, const Nodes &nodes, RowState *state, Moments *moments) {
  static_assert(tile % (2 * Count) == 0);
  const float maximum = greatest_logit<Count>(logits, width);
  if (!(maximum < INFINITY)) state->maximum = NAN;
  // Before the first finite logit all weights are 0; after a NaN the result is NaN whatever follows.
  if (std::isnan(state->maximum) || (maximum == -INFINITY && state->maximum == -INFINITY)) return;
  if (maximum > state->maximum) {
    if (state->maximum > -INFINITY) lower(maximum - state->maximum, nodes, moments);
    state->maximum = maximum;
  }
  const float greatest = static_cast<float>(state->maximum);
  // Further down exp is 0 at every node; stopping there keeps 0 * infinity out of the sums.
  const float least = static_cast<float>(-100 * nodes.temperatures[0]);
  float x[tile];
  for (int64_t start = 0; start < width; start += tile) {
    const int64_t count = std::min(tile, width - start);
    for (int64_t j = 0; j < count; j++) x[j] = std::max(logits[start + j] - greatest, least);
    // The filling of the last tile has weight 0.
    const int64_t padded = (count + 2 * Count - 1) / (2 * Count) * (2 * Count);
    std::fill(x + count, x + padded, least);
    add_tile<Count>(x, padded, nodes, moments);
  }
}

/// Adds to the sums of the norms.
template <int Count>
CTORCH_KERNEL void add_norms(const float *logits, int64_t width, RowState *state) {
  using L = DoubleLanes<Count>;
  typename L::Doubles sums[2] = {}, squares[2] = {};
  int64_t i = 0;
  for (; i + 2 * Count <= width; i += 2 * Count) {
    for (int half = 0; half < 2; half++) {
      const auto logit = L::load(logits + i + half * Count);
      sums[half] += logit;
      squares[half] += logit * logit;
    }
  }
  state->sum += L::sum(sums[0] + sums[1]);
  state->squares += L::sum(squares[0] + squares[1]);
  for (; i < width; i++) {
    const double logit = logits[i];
    state->sum += logit;
    state->squares += logit * logit;
  }
}

using AddSlice = void(const float *, int64_t, const Nodes &, RowState *, Moments *);
void add_slice_128(const float *logits, int64_t width, const Nodes &nodes, RowState *state, Moments *moments) {
  add_slice<4>(logits, width, nodes, state, moments);
  add_norms<2>(logits, width, state);
}
CTORCH_WITH_256 void add_slice_256(
    const float *logits, int64_t width, const Nodes &nodes, RowState *state, Moments *moments) {
  add_slice<8>(logits, width, nodes, state, moments);
  add_norms<4>(logits, width, state);
}
CTORCH_WITH_512 void add_slice_512(
    const float *logits, int64_t width, const Nodes &nodes, RowState *state, Moments *moments) {
  add_slice<16>(logits, width, nodes, state, moments);
  add_norms<8>(logits, width, state);
}

/// Profiles of rows whose logits are added slice by slice.
class Profiles {
 public:
  Profiles(int64_t rows, const at::Tensor &temperatures, int64_t per_octave) : rows_(rows) {
    TORCH_CHECK(temperatures.dim() == 1 && temperatures.scalar_type() == at::kDouble && temperatures.numel() > 0,
                "temperatures must be float64 [M]");
    TORCH_CHECK(per_octave > 0, "an octave needs nodes");
    const auto rising = temperatures.contiguous();
    const double *tau = rising.const_data_ptr<double>();
    const int64_t count = rising.numel();
    TORCH_CHECK(tau[0] > 0, "temperatures are above 0");
    for (int64_t i = 0; i + per_octave < count; i++) {
      TORCH_CHECK(std::abs(tau[i + per_octave] / tau[i] - 2) < 1e-9, "an octave doubles the temperature");
    }
    nodes_ = {std::vector<double>(tau, tau + count), per_octave};
    std::reverse(nodes_.temperatures.begin(), nodes_.temperatures.end());
    states_.resize(rows);
    moments_.resize(rows * count);
  }

  /// Adds a contiguous matrix [rows, width] of logits.
  void add(const float *logits, int64_t width) {
    AddSlice *const add = widest_usable(add_slice_128, add_slice_256, add_slice_512);
    in_parallel(rows_, [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; row++) {
        add(logits + row * width, width, nodes_, &states_[row], &moments_[row * nodes_.count()]);
      }
    });
  }

  /// Value, entropy and variance (see TemperatureProfile.swift), each float32 [rows, M].
  std::tuple<at::Tensor, at::Tensor, at::Tensor> tables() const {
    const int64_t count = nodes_.count();
    const auto value = at::empty({rows_, count}, at::kFloat), entropy = at::empty_like(value),
               variance = at::empty_like(value);
    float *values = value.mutable_data_ptr<float>(), *entropies = entropy.mutable_data_ptr<float>(),
          *variances = variance.mutable_data_ptr<float>();
    for (int64_t row = 0; row < rows_; row++) {
      const bool is_sound = std::isfinite(states_[row].maximum);
      for (int64_t node = 0; node < count; node++) {
        const auto &[weight, first, second] = moments_[row * count + node];
        const double temperature = nodes_.temperatures[node], log_partition = is_sound ? std::log(weight) : NAN;
        const double mean = first / weight, spread = second / weight - mean * mean;
        const int64_t place = row * count + count - 1 - node;
        values[place] = static_cast<float>(temperature * log_partition);
        entropies[place] = static_cast<float>(log_partition - mean / temperature);
        variances[place] = static_cast<float>((spread < 0 ? 0 : spread) / (temperature * temperature));
      }
    }
    return {value, entropy, variance};
  }

  /// The greatest logit m, ‖z‖ and ‖z - m‖ of each row of `width` logits z in all, each float32 [rows].
  std::tuple<at::Tensor, at::Tensor, at::Tensor> statistics(int64_t width) const {
    const auto maximum = at::empty({rows_}, at::kFloat), norm = at::empty_like(maximum),
               centred = at::empty_like(maximum);
    for (int64_t row = 0; row < rows_; row++) {
      const auto &[greatest, sum, squares] = states_[row];
      const double distance = std::isinf(squares)
          ? INFINITY : squares - 2 * greatest * sum + static_cast<double>(width) * greatest * greatest;
      maximum.mutable_data_ptr<float>()[row] = static_cast<float>(greatest);
      norm.mutable_data_ptr<float>()[row] = static_cast<float>(std::sqrt(squares));
      centred.mutable_data_ptr<float>()[row] = static_cast<float>(std::sqrt(distance < 0 ? 0 : distance));
    }
    return {maximum, norm, centred};
  }

 private:
  int64_t rows_;
  Nodes nodes_;
  std::vector<RowState> states_;
  std::vector<Moments> moments_;
};

/// Value, entropy and variance, each float32 [N, M], of logits [N, V] in float32 at temperatures, float64 [M], that rise
/// with `per_octave` nodes to the octave.
std::tuple<at::Tensor, at::Tensor, at::Tensor> temperature_profile(
    const at::Tensor &logits, const at::Tensor &temperatures, int64_t per_octave) {
  TORCH_CHECK(logits.dim() == 2 && logits.scalar_type() == at::kFloat, "logits must be float32 [N, V]");
  TORCH_CHECK(logits.size(1) > 0, "a row needs logits");
  const auto input = logits.contiguous();
  Profiles profiles(input.size(0), temperatures, per_octave);
  profiles.add(input.const_data_ptr<float>(), input.size(1));
  return profiles.tables();
}

/// How many logits exist at a time: 16 MiB, which fit the last cache. On two cores with AVX2 MKL multiplies 576 columns at 140
/// GFLOP/s for slices of this size, at 97 for whole rows of 49,152.
constexpr int64_t slice_size = 1 << 22;

/// Profiles as above, then the greatest logit, the norm, the centred norm and the label's logit, each float32 [N], of the
/// logits hidden · weightᵀ of tokens [N, d] with labels, int64 [N]. A weight [V, d] in bfloat16 has the hidden states
/// rounded too.
std::tuple<at::Tensor, at::Tensor, at::Tensor, at::Tensor, at::Tensor, at::Tensor, at::Tensor> unembedding_profile(
    const at::Tensor &hidden, const at::Tensor &weight, const at::Tensor &labels, const at::Tensor &temperatures,
    int64_t per_octave) {
  const bool is_rounded = weight.scalar_type() == at::kBFloat16;
  TORCH_CHECK(hidden.dim() == 2 && hidden.scalar_type() == at::kFloat, "hidden states must be float32 [N, d]");
  TORCH_CHECK(weight.dim() == 2 && weight.size(1) == hidden.size(1) && (is_rounded || weight.scalar_type() == at::kFloat),
              "the weight must be float32 or bfloat16 [V, d]");
  const int64_t rows = hidden.size(0), width = weight.size(0);
  TORCH_CHECK(width > 0, "a row needs logits");
  const auto input = hidden.to(weight.scalar_type());
  const auto targets = checked_labels(labels, rows, width), of_label = at::empty({rows}, hidden.options());
  const int64_t *label = targets.const_data_ptr<int64_t>();
  Profiles profiles(rows, temperatures, per_octave);
  const int64_t slice = std::min(width, std::max<int64_t>(64, slice_size / std::max<int64_t>(rows, 1)));
  const auto buffer = at::empty({rows * slice}, hidden.options());
  for (int64_t start = 0; start < width; start += slice) {
    const int64_t count = std::min(slice, width - start);
    const auto logits = buffer.narrow(0, 0, rows * count).view({rows, count});
    const auto part = weight.narrow(0, start, count);
    multiply({input}, {part, true}, logits);
    const float *data = logits.const_data_ptr<float>();
    profiles.add(data, count);
    for (int64_t row = 0; row < rows; row++) {
      const int64_t place = label[row] - start;
      if (place >= 0 && place < count) of_label.mutable_data_ptr<float>()[row] = data[row * count + place];
    }
  }
  return std::tuple_cat(profiles.tables(), profiles.statistics(width), std::make_tuple(of_label));
}

}  // namespace
}  // namespace ctorch

TORCH_LIBRARY_FRAGMENT(tempnet, library) {
  library.def(
      "temperature_profile(Tensor logits, Tensor temperatures, int per_octave) -> (Tensor value, Tensor entropy, "
      "Tensor variance)");
  library.def(
      "unembedding_profile(Tensor hidden, Tensor weight, Tensor labels, Tensor temperatures, int per_octave) -> (Tensor "
      "value, Tensor entropy, Tensor variance, Tensor maximum, Tensor norm, Tensor centred_norm, Tensor label_logit)");
}

TORCH_LIBRARY_IMPL(tempnet, CPU, library) {
  library.impl("temperature_profile", ctorch::temperature_profile);
  library.impl("unembedding_profile", ctorch::unembedding_profile);
}
