// tempnet::tempered_moments, the statistics of a row of logits at one temperature in one pass, and
// tempnet::temperature_of_entropy, which solves for the temperature at which the row has a given entropy.
#include <ATen/ATen.h>
#include <torch/library.h>

#include <cmath>

#include "lanes.h"
#include "parallel.h"

namespace ctorch {
namespace {

/// Sums over the logits of a row of w = exp(x/τ), of w x/τ, of w (x/τ)² and of w², for logits x counted from the greatest.
struct Moments {
  double weight = 0, first = 0, second = 0, squares = 0;

  double log_partition() const { return std::log(weight); }
  double mean() const { return first / weight; }
  double variance() const {
    const double spread = second / weight - mean() * mean();
    return spread < 0 ? 0 : spread;
  }
  double entropy() const { return log_partition() - mean(); }
};

/// The moments of a row of `width` logits, in the precision of L.
template <typename L>
CTORCH_KERNEL void add_row(const float *logits, int64_t width, double tau, Moments *moments) {
  constexpr int count = L::count;
  using Number = typename L::Number;
  using Numbers = typename L::Numbers;
  const float maximum = greatest_logit<sizeof(Numbers) / sizeof(float)>(logits, width);
  if (!std::isfinite(maximum) || !(tau > 0)) {
    *moments = {NAN, NAN, NAN, NAN};
    return;
  }
  const auto greatest = static_cast<Number>(maximum), inverse = static_cast<Number>(1 / tau);
  Numbers sums[2][4] = {};
  const auto add = [&](const float *from, Numbers *sums) __attribute__((always_inline)) {
    // Further down exp is next to 0; stopping there keeps 0 * infinity out of the sums.
    const Numbers exponent = L::above((L::load(from) - greatest) * inverse, Number(-708));
    const Numbers weight = L::exp(exponent), first = weight * exponent;
    sums[0] += weight;
    sums[1] += first;
    sums[2] += first * exponent;
    sums[3] += weight * weight;
  };
  int64_t i = 0;
  for (; i + 2 * count <= width; i += 2 * count) {
    add(logits + i, sums[0]);
    add(logits + i + count, sums[1]);
  }
  if (i < width) {
    // The filling of the last lanes has a weight next to 0.
    float rest[2 * count];
    std::fill(std::copy(logits + i, logits + width, rest), rest + 2 * count, -INFINITY);
    add(rest, sums[0]);
    add(rest + count, sums[1]);
  }
  *moments = {
      L::sum(sums[0][0] + sums[1][0]), L::sum(sums[0][1] + sums[1][1]), L::sum(sums[0][2] + sums[1][2]),
      L::sum(sums[0][3] + sums[1][3])};
}

using AddRow = void(const float *, int64_t, double, Moments *);
/// The lanes of L in a vector of this many bytes.
template <template <int> typename L, int Bytes>
using Vectors = L<Bytes / sizeof(typename L<1>::Number)>;
template <template <int> typename L>
void add_row_128(const float *logits, int64_t width, double tau, Moments *moments) {
  add_row<Vectors<L, 16>>(logits, width, tau, moments);
}
template <template <int> typename L>
CTORCH_WITH_256 void add_row_256(const float *logits, int64_t width, double tau, Moments *moments) {
  add_row<Vectors<L, 32>>(logits, width, tau, moments);
}
template <template <int> typename L>
CTORCH_WITH_512 void add_row_512(const float *logits, int64_t width, double tau, Moments *moments) {
  add_row<Vectors<L, 64>>(logits, width, tau, moments);
}
template <template <int> typename L>
AddRow *fastest_add_row() {
  return widest_usable<AddRow *>(add_row_128<L>, add_row_256<L>, add_row_512<L>);
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
  const float *data = input.const_data_ptr<float>();
  const double *tau = taus.const_data_ptr<double>();
  double *log_partitions = log_partition.data_ptr<double>(), *means = mean.data_ptr<double>(),
         *variances = variance.data_ptr<double>(), *collisions = collision.data_ptr<double>();
  AddRow *const add = fastest_add_row<DoubleLanes>();
  in_parallel(rows, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; row++) {
      Moments moments;
      add(data + row * width, width, tau[row], &moments);
      log_partitions[row] = moments.log_partition();
      means[row] = moments.mean();
      variances[row] = moments.variance();
      collisions[row] = moments.squares / (moments.weight * moments.weight);
    }
  });
  return {log_partition, mean, variance, collision};
}

/// The difference from the wanted entropy, in nats, at which float64 takes over from float32, mostly for two passes. A
/// search in float64 alone takes six, each 2.5 times as long.
constexpr double rough_tolerance = 1e-3, tolerance = 1e-10;

/// Newton's method in ln τ for one row, with bisection where a step leaves the bracket or gains little. ExactTemperature.swift
/// does the same with tensors.
struct Search {
  const float *logits;
  int64_t width;
  double entropy, least, greatest;
  /// The present point and the bracket of the root. Until a bound itself has been evaluated, the bracket reaches beyond it.
  double position, low, high, previous;

  Search(const float *logits, int64_t width, double entropy, double least, double greatest)
      : logits(logits), width(width), entropy(entropy), least(least), greatest(greatest),
        position(std::clamp(0.0, least, greatest)), low(least - 1), high(greatest + 1), previous(INFINITY) {}

  void run(AddRow *add_roughly, AddRow *add) {
    double excess;
    const double slope = run(add_roughly, rough_tolerance, &excess);
    if (std::isnan(slope)) return;
    const double newton = position - excess / slope;
    if (newton > low && newton < high) position = std::clamp(newton, least, greatest);
    previous = INFINITY;
    run(add, tolerance, &excess);
  }

  /// Iterates until |`excess`|, the entropy minus the wanted one, is at most `tolerance`, 100 passes at most.
  ///
  /// Returns the slope of the entropy at the end; NaN where no temperature is nearer: the optimum is a bound, or the row has no
  /// entropy.
  double run(AddRow *add, double tolerance, double *excess) {
    double slope = NAN;
    for (int pass = 0; pass < 100; pass++) {
      Moments moments;
      add(logits, width, std::exp(position), &moments);
      *excess = moments.entropy() - entropy;
      slope = moments.variance();
      if (std::abs(*excess) <= tolerance || high - low < 1e-14) break;
      const bool is_at_bound = (position <= least && *excess > 0) || (position >= greatest && *excess < 0);
      if (std::isnan(*excess) || is_at_bound) return NAN;
      advance(*excess, slope);
    }
    return slope;
  }

  void advance(double excess, double slope) {
    (excess > 0 ? high : low) = position;
    const double newton = std::clamp(position - excess / slope, least, greatest);
    const bool gains = std::abs(excess) * 2 <= previous || newton == least || newton == greatest;
    const bool is_inside = newton > low && newton < high;
    position = is_inside && gains ? newton : std::clamp((low + high) / 2, least, greatest);
    previous = std::abs(excess);
  }
};

/// The temperatures, float64 [N], at which softmax of logits, float32 [N, V], has this entropy in nats, each limited to the
/// bounds.
at::Tensor temperature_of_entropy(const at::Tensor &logits, double entropy, double low, double high) {
  TORCH_CHECK(logits.dim() == 2 && logits.scalar_type() == at::kFloat, "logits must be float32 [N, V]");
  TORCH_CHECK(logits.size(1) > 0, "a row needs logits");
  TORCH_CHECK(0 < low && low <= high && high < INFINITY, "bounds must be finite, above 0, and in order");
  const auto input = logits.contiguous();
  const int64_t width = input.size(1);
  const auto result = at::empty({input.size(0)}, input.options().dtype(at::kDouble));
  const float *data = input.const_data_ptr<float>();
  double *temperatures = result.mutable_data_ptr<double>();
  AddRow *const add = fastest_add_row<DoubleLanes>(), *const add_roughly = fastest_add_row<Lanes>();
  in_parallel(input.size(0), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; row++) {
      Search search(data + row * width, width, entropy, std::log(low), std::log(high));
      search.run(add_roughly, add);
      // A bound is returned exactly, not as exp of its logarithm.
      temperatures[row] = search.position <= search.least ? low
          : search.position >= search.greatest          ? high
                                                         : std::exp(search.position);
    }
  });
  return result;
}

}  // namespace
}  // namespace ctorch

TORCH_LIBRARY_FRAGMENT(tempnet, library) {
  library.def(
      "tempered_moments(Tensor logits, Tensor temperatures) -> (Tensor log_partition, Tensor mean, Tensor variance, "
      "Tensor collision)");
  library.def("temperature_of_entropy(Tensor logits, float entropy, float low, float high) -> Tensor");
}

TORCH_LIBRARY_IMPL(tempnet, CPU, library) {
  library.impl("tempered_moments", ctorch::tempered_moments);
  library.impl("temperature_of_entropy", ctorch::temperature_of_entropy);
}
