// tempnet::tempered_terms, the terms of the losses and gradients of a chunk of logits, in two passes over it.
#include <ATen/ATen.h>
#include <torch/library.h>

#include <cmath>

#include "labels.h"
#include "lanes.h"
#include "parallel.h"

namespace ctorch {
namespace {

/// How many logits are summed in float32 before the sum is added in float64.
constexpr int64_t tile = 512;

struct Sums {
  double weight = 0, first = 0;
};

/// Writes exp(x/τ) of `width` logits, counted from the greatest, and adds up those weights, and x/τ times them.
template <int Count>
CTORCH_KERNEL Sums weigh(const float *logits, int64_t width, float maximum, float inverse, float *weights) {
  using L = Lanes<Count>;
  Sums sums;
  const auto weight = [&](const float *from, float *to, typename L::Floats *parts) __attribute__((always_inline)) {
    // Further down exp is 0; stopping there keeps 0 * infinity out of the sums.
    const auto exponent = L::above((L::load(from) - maximum) * inverse, -1000, L::all(-1000));
    const auto value = L::exp(exponent);
    L::store(to, value);
    parts[0] += value;
    parts[1] += value * exponent;
  };
  for (int64_t start = 0; start < width; start += tile) {
    const int64_t end = std::min(start + tile, width);
    typename L::Floats parts[2] = {};
    int64_t i = start;
    for (; i + Count <= end; i += Count) weight(logits + i, weights + i, parts);
    if (i < end) {
      // The filling of the last lanes has weight 0.
      float rest[Count];
      std::fill(std::copy(logits + i, logits + end, rest), rest + Count, -INFINITY);
      weight(rest, rest, parts);
      std::copy(rest, rest + (end - i), weights + i);
    }
    sums.weight += L::sum(parts[0]);
    sums.first += L::sum(parts[1]);
  }
  return sums;
}

/// One row's p = softmax(x/τ), its entropy and the cross-entropy with its label.
template <int Count>
CTORCH_KERNEL void temper_row(
    const float *logits, int64_t width, int64_t label, float tau, float *probabilities, float *cross_entropy,
    float *entropy) {
  const float maximum = greatest_logit<Count>(logits, width);
  if (!std::isfinite(maximum) || !(tau > 0)) {
    std::fill(probabilities, probabilities + width, NAN);
    *cross_entropy = *entropy = NAN;
    return;
  }
  const Sums sums = weigh<Count>(logits, width, maximum, 1 / tau, probabilities);
  const double log_partition = std::log(sums.weight);
  *entropy = static_cast<float>(log_partition - sums.first / sums.weight);
  *cross_entropy = static_cast<float>(log_partition - (static_cast<double>(logits[label]) - maximum) / tau);
  const float share = static_cast<float>(1 / sums.weight);
  for (int64_t i = 0; i < width; i++) probabilities[i] *= share;
}

using TemperRow = void(const float *, int64_t, int64_t, float, float *, float *, float *);
void temper_row_128(const float *logits, int64_t width, int64_t label, float tau, float *probabilities,
                    float *cross_entropy, float *entropy) {
  temper_row<4>(logits, width, label, tau, probabilities, cross_entropy, entropy);
}
CTORCH_WITH_256 void temper_row_256(const float *logits, int64_t width, int64_t label, float tau, float *probabilities,
                                    float *cross_entropy, float *entropy) {
  temper_row<8>(logits, width, label, tau, probabilities, cross_entropy, entropy);
}
CTORCH_WITH_512 void temper_row_512(const float *logits, int64_t width, int64_t label, float tau, float *probabilities,
                                    float *cross_entropy, float *entropy) {
  temper_row<16>(logits, width, label, tau, probabilities, cross_entropy, entropy);
}

/// p, float32 [N, V], the cross-entropy with the label and the entropy of p, each float32 [N], of logits, float32 [N, V],
/// with labels, int64 [N], at temperatures, float32 [N].
std::tuple<at::Tensor, at::Tensor, at::Tensor> tempered_terms(
    const at::Tensor &logits, const at::Tensor &labels, const at::Tensor &temperatures) {
  TORCH_CHECK(logits.dim() == 2 && logits.scalar_type() == at::kFloat, "logits must be float32 [N, V]");
  const int64_t rows = logits.size(0), width = logits.size(1);
  TORCH_CHECK(width > 0, "a row needs logits");
  TORCH_CHECK(temperatures.dim() == 1 && temperatures.scalar_type() == at::kFloat && temperatures.size(0) == rows,
              "temperatures must be float32 [N]");
  const auto input = logits.contiguous(), targets = checked_labels(labels, rows, width), taus = temperatures.contiguous();
  const auto probability = at::empty_like(input), cross_entropy = at::empty_like(taus),
             entropy = at::empty_like(taus);
  const float *data = input.const_data_ptr<float>(), *tau = taus.const_data_ptr<float>();
  const int64_t *label = targets.const_data_ptr<int64_t>();
  float *probabilities = probability.mutable_data_ptr<float>(), *losses = cross_entropy.mutable_data_ptr<float>(),
        *entropies = entropy.mutable_data_ptr<float>();
  TemperRow *const temper = widest_usable(temper_row_128, temper_row_256, temper_row_512);
  in_parallel(rows, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; row++) {
      temper(data + row * width, width, label[row], tau[row], probabilities + row * width, losses + row,
             entropies + row);
    }
  });
  return {probability, cross_entropy, entropy};
}

}  // namespace
}  // namespace ctorch

TORCH_LIBRARY_FRAGMENT(tempnet, library) {
  library.def(
      "tempered_terms(Tensor logits, Tensor labels, Tensor temperatures) -> (Tensor probabilities, Tensor "
      "cross_entropy, Tensor entropy)");
}

TORCH_LIBRARY_IMPL(tempnet, CPU, library) { library.impl("tempered_terms", ctorch::tempered_terms); }
