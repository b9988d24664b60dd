// tempnet::attention, causal attention softmax(scale · q · kᵀ) · v of whole windows, of documents in them and of trees of
// tokens, by blocks whose scores stay in the cache (Dao et al. 2022).
#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "lanes.h"
#include "parallel.h"
#include "private_torch.h"
#include "product.h"
#include "tiles.h"

// libtorch's kernel leaves the products to MKL (see tiles.h). With it attention and its gradients were a fifth of a joint step
// on two cores of an EPYC of the fifth generation: 16 windows of 256 tokens, 6 heads of 64, 49.6 ms a layer. The step is 12 %
// faster with this one.

namespace ctorch {
namespace {

/// The number of queries in a block, and of keys in a panel.
constexpr int64_t block = 64;
/// The most tokens of a window. The scores of a block for all keys, and their gradients, then take 1 MiB each.
constexpr int64_t longest = 4096;

/// One head of one window: rows of `width` numbers that lie `stride` apart.
struct Head {
  float *data;
  int64_t stride;
  float *row(int64_t token) const { return data + token * stride; }
};

/// Heads [B, H, T, d], whose numbers are contiguous.
struct Heads {
  at::Tensor tensor;
  explicit Heads(const at::Tensor &heads)
      : tensor(heads.stride(3) == 1 && heads.stride(2) >= heads.size(3) ? heads
                                                                         : heads.clone(at::MemoryFormat::Contiguous)) {}
  Head head(int64_t window, int64_t number) const {
    // Only heads that this file allocates are written.
    auto *data = const_cast<float *>(tensor.const_data_ptr<float>());
    return {data + window * tensor.stride(0) + number * tensor.stride(1), tensor.stride(2)};
  }
};

/// Memory for heads, in the order [B, T, H, d] that layers before and after read.
at::Tensor heads(const at::Tensor &like, int64_t count) {
  return at::empty({like.size(0), like.size(2), count, like.size(3)}, like.options()).transpose(1, 2);
}

/// Keys or values as columns, [width, block] for each panel of tokens. The last panel is filled up with zeros: oneDNN
/// compiles a kernel for each new size, so there must be few.
std::vector<float> transposed(const Head &head, int64_t tokens, int64_t width) {
  std::vector<float> panels((tokens + block - 1) / block * block * width);
  for (int64_t token = 0; token < tokens; token += block) {
    transpose(
        reinterpret_cast<const uint32_t *>(head.row(token)), head.stride, std::min(block, tokens - token), width,
        reinterpret_cast<uint32_t *>(panels.data() + token * width), block);
  }
  return panels;
}

void product(
    int64_t rows, int64_t columns, int64_t inner, const float *a, int64_t a_stride, const float *b, int64_t b_stride, float *c,
    int64_t c_stride, bool adds) {
  private_torch::brgemm(rows, columns, inner, a_stride, b_stride, c_stride, adds, a, b, c, false);
}

/// Replaces the first `count` of `padded` scores by exp(scale · score - shift) and the others by 0; returns the sum.
template <int Count>
CTORCH_KERNEL float weigh_row(float *scores, int64_t count, int64_t padded, float scale, float shift) {
  using L = Lanes<Count>;
  std::fill(scores + count, scores + padded, -INFINITY);
  typename L::Floats sums{};
  for (int64_t i = 0; i < padded; i += Count) {
    const auto weights = L::exp(L::load(scores + i) * scale - shift);
    L::store(scores + i, weights);
    sums += weights;
  }
  return static_cast<float>(L::sum(sums));
}

/// Sets the scores of keys that query number `query` does not see to minus infinity.
CTORCH_WITH_512 void hide(float *scores, int64_t query, const int32_t *ends) {
  const auto number = static_cast<int32_t>(query);
  for (int64_t key = 0; key <= query; key++) scores[key] = ends[key] > number ? scores[key] : -INFINITY;
}

/// The greatest score; NaN where the scores have no softmax.
CTORCH_WITH_512 float greatest(const float *scores, int64_t count) { return greatest_logit<16>(scores, count); }

/// Replaces the gradients of the first `count` of `padded` weights by those of the scores, and the others by 0.
template <int Count>
CTORCH_KERNEL void differentiate_row(
    const float *weights, int64_t count, int64_t padded, float mean, float scale, float *gradients) {
  using L = Lanes<Count>;
  std::fill(gradients + count, gradients + padded, 0.0f);
  for (int64_t i = 0; i < padded; i += Count) {
    L::store(gradients + i, L::load(weights + i) * (L::load(gradients + i) - mean) * scale);
  }
}

CTORCH_WITH_512 float weigh(float *scores, int64_t count, int64_t padded, float scale, float shift) {
  return weigh_row<16>(scores, count, padded, scale, shift);
}
CTORCH_WITH_512 float dot_row(const float *a, const float *b, int64_t count) { return dot<16>(a, b, count); }
CTORCH_WITH_512 void differentiate(
    const float *weights, int64_t count, int64_t padded, float mean, float scale, float *gradients) {
  differentiate_row<16>(weights, count, padded, mean, scale, gradients);
}

/// Which keys of a window a query sees: itself, and the keys before it; where `ends` is not empty only those of them that
/// end after it.
struct Reach {
  std::vector<int32_t> ends;
  /// The greatest end in each panel of keys.
  std::vector<int32_t> of_panels;

  Reach() = default;
  Reach(const std::optional<at::Tensor> &all, int64_t window, int64_t tokens) {
    if (!all) return;
    const int64_t *from = all->const_data_ptr<int64_t>() + window * tokens;
    ends.resize(tokens);
    for (int64_t token = 0; token < tokens; token++) {
      ends[token] = static_cast<int32_t>(std::clamp(from[token], token + 1, tokens));
    }
    for (int64_t token = 0; token < tokens; token += block) {
      of_panels.push_back(*std::max_element(ends.begin() + token, ends.begin() + std::min(tokens, token + block)));
    }
  }

  /// Whether any query from `start` on may see a key of the panel that begins with number `key`.
  bool contains(int64_t key, int64_t start) const { return ends.empty() || of_panels[key / block] > start; }
};

/// The queries of one head, with the keys and values of its group.
struct Task {
  int64_t tokens, width;
  float scale;
  Head query, key, value;
  const Reach &reach;
  /// Writes the products of rows `start` to `start + rows` of a head with the panels of keys or values that any of them
  /// sees. Other panels of `to` keep their numbers.
  void times(
      const Head &left, int64_t start, int64_t rows, const std::vector<float> &panels, float *to, int64_t stride) const {
    for (int64_t token = 0; token < start + rows; token += block) {
      if (!reach.contains(token, start)) continue;
      product(
          rows, block, width, left.row(start), left.stride, panels.data() + token * width, block,
          to + token, stride, false);
    }
  }
  /// Writes weights · right, for the keys that the queries see, to rows `start` to `start + rows` of a head.
  void weighted_sum(int64_t start, int64_t rows, const float *weights, int64_t stride, const Head &right, const Head &to) const {
    bool adds = false;
    for (int64_t token = 0; token < start + rows; token += block) {
      if (!reach.contains(token, start)) continue;
      product(
          rows, width, std::min(block, start + rows - token), weights + token, stride, right.row(token), right.stride,
          to.row(start), to.stride, adds);
      adds = true;
    }
  }
  /// Adds weightsᵀ · right, with the rows of the queries, to the rows of the keys that they see.
  void accumulate_transposed(
      int64_t start, int64_t rows, const float *weights, int64_t stride, const Head &right, const Head &to) const {
    uint32_t square[block * block];
    for (int64_t token = 0; token < start + rows; token += block) {
      if (!reach.contains(token, start)) continue;
      const int64_t count = std::min(block, start + rows - token);
      transpose(reinterpret_cast<const uint32_t *>(weights + token), stride, rows, count, square, block);
      product(
          count, width, rows, reinterpret_cast<const float *>(square), block, right.row(start), right.stride, to.row(token),
          to.stride, true);
    }
  }
};

struct Shape {
  int64_t windows, heads, tokens, width, groups, padded;
  float scale;
  Shape(const at::Tensor &query, const at::Tensor &key, double scale)
      : windows(query.size(0)), heads(query.size(1)), tokens(query.size(2)), width(query.size(3)), groups(key.size(1)),
        padded(block), scale(static_cast<float>(scale)) {
    while (padded < tokens) padded *= 2;
    // Rows a power of two apart would share the same few places of a cache.
    padded += 16;
  }
  int64_t group_size() const { return heads / groups; }
  Task task(
      const Heads &query, const Heads &key, const Heads &value, int64_t window, int64_t head, const Reach &reach) const {
    const int64_t group = head / group_size();
    return {
        tokens, width, scale, query.head(window, head), key.head(window, group), value.head(window, group), reach};
  }
};

/// The result [B, H, T, d] and, for backward, the logarithm of each query's sum of weights, [B, H, T].
std::tuple<at::Tensor, at::Tensor> attend(
    const at::Tensor &query, const at::Tensor &key, const at::Tensor &value, const std::optional<at::Tensor> &ends,
    double scale) {
  const Shape shape(query, key, scale);
  const Heads queries(query), keys(key), values(value), result(heads(query, shape.heads));
  const auto log_sums = at::empty({shape.windows, shape.heads, shape.tokens}, query.options());
  float *log_sum = log_sums.mutable_data_ptr<float>();
  in_parallel(shape.windows * shape.heads, [&](int64_t begin, int64_t end) {
    std::vector<float> scores(block * shape.padded), panels;
    Reach reach;
    for (int64_t number = begin; number < end; number++) {
      const int64_t window = number / shape.heads, head = number % shape.heads;
      if (number == begin || head == 0) reach = Reach(ends, window, shape.tokens);
      const auto task = shape.task(queries, keys, values, window, head, reach);
      const auto to = result.head(window, head);
      if (number == begin || head % shape.group_size() == 0) panels = transposed(task.key, shape.tokens, shape.width);
      for (int64_t start = 0; start < shape.tokens; start += block) {
        const int64_t rows = std::min(block, shape.tokens - start);
        task.times(task.query, start, rows, panels, scores.data(), shape.padded);
        float sums[block];
        for (int64_t row = 0; row < rows; row++) {
          float *of_query = scores.data() + row * shape.padded;
          if (!reach.ends.empty()) hide(of_query, start + row, reach.ends.data());
          const float shift = task.scale * greatest(of_query, start + row + 1);
          sums[row] = weigh(of_query, start + row + 1, start + block, task.scale, shift);
          log_sum[number * shape.tokens + start + row] = shift + std::log(sums[row]);
        }
        task.weighted_sum(start, rows, scores.data(), shape.padded, task.value, to);
        for (int64_t row = 0; row < rows; row++) {
          float *sum = to.row(start + row);
          const float inverse = 1 / sums[row];
          for (int64_t i = 0; i < shape.width; i++) sum[i] *= inverse;
        }
      }
    }
    private_torch::brgemm_release(false);
  });
  return {result.tensor, log_sums};
}

/// The gradients of queries, keys and values. The weights are computed again from the logarithms that `attend` returned.
std::tuple<at::Tensor, at::Tensor, at::Tensor> attend_backward(
    const at::Tensor &gradient, const at::Tensor &query, const at::Tensor &key, const at::Tensor &value,
    const at::Tensor &output, const at::Tensor &log_sums, const std::optional<at::Tensor> &ends,
    double scale) {
  const Shape shape(query, key, scale);
  const Heads queries(query), keys(key), values(value), outputs(output), gradients(gradient);
  const Heads of_query(heads(query, shape.heads)), of_key(heads(query, shape.groups).zero_()),
      of_value(heads(query, shape.groups).zero_());
  const float *log_sum = log_sums.const_data_ptr<float>();
  in_parallel(shape.windows * shape.groups, [&](int64_t begin, int64_t end) {
    std::vector<float> weights(block * shape.padded), slopes(block * shape.padded);
    for (int64_t number = begin; number < end; number++) {
      const int64_t window = number / shape.groups, group = number % shape.groups;
      const Reach reach(ends, window, shape.tokens);
      const auto key_panels = transposed(keys.head(window, group), shape.tokens, shape.width),
                 value_panels = transposed(values.head(window, group), shape.tokens, shape.width);
      for (int64_t head = group * shape.group_size(); head < (group + 1) * shape.group_size(); head++) {
        const auto task = shape.task(queries, keys, values, window, head, reach);
        const auto incoming = gradients.head(window, head), produced = outputs.head(window, head);
        for (int64_t start = 0; start < shape.tokens; start += block) {
          const int64_t rows = std::min(block, shape.tokens - start);
          task.times(task.query, start, rows, key_panels, weights.data(), shape.padded);
          task.times(incoming, start, rows, value_panels, slopes.data(), shape.padded);
          for (int64_t row = 0; row < rows; row++) {
            float *weight = weights.data() + row * shape.padded, *slope = slopes.data() + row * shape.padded;
            const float shift = log_sum[(window * shape.heads + head) * shape.tokens + start + row];
            if (!reach.ends.empty()) hide(weight, start + row, reach.ends.data());
            weigh(weight, start + row + 1, start + block, task.scale, shift);
            const float mean = dot_row(incoming.row(start + row), produced.row(start + row), shape.width);
            differentiate(weight, start + row + 1, start + block, mean, task.scale, slope);
          }
          task.accumulate_transposed(start, rows, weights.data(), shape.padded, incoming, of_value.head(window, group));
          task.weighted_sum(start, rows, slopes.data(), shape.padded, task.key, of_query.head(window, head));
          task.accumulate_transposed(start, rows, slopes.data(), shape.padded, task.query, of_key.head(window, group));
        }
      }
    }
    private_torch::brgemm_release(false);
  });
  return {of_query.tensor, of_key.tensor, of_value.tensor};
}

struct Attention : torch::autograd::Function<Attention> {
  static at::Tensor forward(
      torch::autograd::AutogradContext *context, const at::Tensor &query, const at::Tensor &key, const at::Tensor &value,
      const std::optional<at::Tensor> &ends, double scale) {
    const auto [result, log_sums] = attend(query, key, value, ends, scale);
    context->save_for_backward({query, key, value, result, log_sums, ends.value_or(at::Tensor())});
    context->saved_data["scale"] = scale;
    return result;
  }

  static torch::autograd::variable_list backward(
      torch::autograd::AutogradContext *context, torch::autograd::variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const auto [query, key, value] = attend_backward(
        gradients[0], saved[0], saved[1], saved[2], saved[3], saved[4],
        saved[5].defined() ? std::optional(saved[5]) : std::nullopt,
        context->saved_data["scale"].toDouble());
    return {query, key, value, at::Tensor(), at::Tensor()};
  }
};

/// Whether query i sees key j, where `i = j` or `j < i < ends[j]`: [B, 1, T, T].
at::Tensor visible(const at::Tensor &ends) {
  const auto keys = at::arange(ends.size(1), ends.options()), queries = keys.unsqueeze(1);
  return (keys < queries).logical_and(ends.unsqueeze(1) > queries).logical_or(keys == queries).unsqueeze(1);
}

void check(
    const at::Tensor &query, const at::Tensor &key, const at::Tensor &value, const std::optional<at::Tensor> &ends) {
  for (const auto &heads : {query, key, value}) {
    TORCH_CHECK(heads.dim() == 4, "heads must be [B, H, T, d]");
    TORCH_CHECK(heads.size(0) == query.size(0) && heads.size(2) == query.size(2) && heads.size(3) == query.size(3),
                "queries, keys and values must be of the same windows, tokens and width");
  }
  TORCH_CHECK(key.size(1) == value.size(1) && key.size(1) > 0 && query.size(1) % key.size(1) == 0,
              "each group of query heads must have one head of keys and one of values");
  TORCH_CHECK(!ends || (ends->scalar_type() == at::kLong && ends->dim() == 2 && ends->size(0) == query.size(0) &&
                        ends->size(1) == query.size(2) && ends->device() == query.device()),
              "ends must be int64 [B, T]");
}

at::Tensor attention(
    const at::Tensor &query, const at::Tensor &key, const at::Tensor &value, double scale,
    const std::optional<at::Tensor> &ends) {
  check(query, key, value, ends);
  bool is_own = takes_floats_to_tiles() && query.size(2) <= longest && query.numel() > 0 && scale > 0;
  for (const auto &heads : {query, key, value}) {
    is_own = is_own && heads.device().is_cpu() && heads.scalar_type() == at::kFloat;
  }
  if (is_own) return Attention::apply(query, key, value, ends ? std::optional(ends->contiguous()) : std::nullopt, scale);
  const bool is_grouped = key.size(1) != query.size(1);
  return at::scaled_dot_product_attention(
      query, key, value, ends ? std::optional(visible(*ends)) : std::nullopt, 0, !ends, scale, is_grouped);
}

}  // namespace
}  // namespace ctorch

TORCH_LIBRARY_FRAGMENT(tempnet, library) {
  library.def(
      "attention(Tensor query, Tensor key, Tensor value, float scale, Tensor? ends=None) -> Tensor", ctorch::attention);
}
