// Layers of a transformer in one pass over memory each, where libtorch takes several: tempnet::rms_norm,
// tempnet::gated_silu and tempnet::rotate.
#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include <cmath>

#include "lanes.h"
#include "parallel.h"

namespace ctorch {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

void check(const at::Tensor &tensor, const char *name) {
  TORCH_CHECK(tensor.device().is_cpu() && tensor.scalar_type() == at::kFloat, name, " must be float32 on the CPU");
}

// MARK: x / √(mean(x²) + epsilon) · weight

template <int Count>
CTORCH_KERNEL void norm_row(const float *x, const float *weight, int64_t width, double epsilon, float *to) {
  using L = Lanes<Count>;
  typename L::Floats sums[2] = {};
  int64_t i = 0;
  for (; i + 2 * Count <= width; i += 2 * Count) {
    const auto first = L::load(x + i), second = L::load(x + i + Count);
    sums[0] += first * first;
    sums[1] += second * second;
  }
  double sum = L::sum(sums[0] + sums[1]);
  for (; i < width; i++) sum += x[i] * x[i];
  const float factor = static_cast<float>(1 / std::sqrt(sum / static_cast<double>(width) + epsilon));
  for (int64_t j = 0; j < width; j++) to[j] = x[j] * factor * weight[j];
}

using NormRow = void(const float *, const float *, int64_t, double, float *);
void norm_row_128(const float *x, const float *weight, int64_t width, double epsilon, float *to) {
  norm_row<4>(x, weight, width, epsilon, to);
}
CTORCH_WITH_256 void norm_row_256(const float *x, const float *weight, int64_t width, double epsilon, float *to) {
  norm_row<8>(x, weight, width, epsilon, to);
}
CTORCH_WITH_512 void norm_row_512(const float *x, const float *weight, int64_t width, double epsilon, float *to) {
  norm_row<16>(x, weight, width, epsilon, to);
}

struct RMSNorm : torch::autograd::Function<RMSNorm> {
  static at::Tensor forward(AutogradContext *context, const at::Tensor &x, const at::Tensor &weight, double epsilon) {
    context->save_for_backward({x, weight});
    context->saved_data["epsilon"] = epsilon;
    const auto rows = x.contiguous(), factors = weight.contiguous(), result = at::empty_like(rows);
    const int64_t width = x.size(-1);
    const float *from = rows.const_data_ptr<float>(), *by = factors.const_data_ptr<float>();
    float *to = result.mutable_data_ptr<float>();
    NormRow *const norm = widest_usable(norm_row_128, norm_row_256, norm_row_512);
    in_parallel(width > 0 ? x.numel() / width : 0, [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; row++) norm(from + row * width, by, width, epsilon, to + row * width);
    });
    return result;
  }

  /// With r = 1/√(mean(x²) + epsilon) and g = gradient ∘ weight: ∂x = r (g - x r² mean(g ∘ x)), ∂weight = Σ gradient ∘ x r.
  static variable_list backward(AutogradContext *context, variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const auto &x = saved[0], &weight = saved[1];
    const auto scale = (x.square().mean(-1, true) + context->saved_data["epsilon"].toDouble()).rsqrt();
    at::Tensor of_x, of_weight;
    if (context->needs_input_grad(0)) {
      const auto weighted = gradients[0] * weight;
      of_x = scale * (weighted - x * (scale.square() * (weighted * x).mean(-1, true)));
    }
    if (context->needs_input_grad(1)) {
      of_weight = (gradients[0] * x * scale).reshape({-1, x.size(-1)}).sum(0);
    }
    return {of_x, of_weight, at::Tensor()};
  }
};

at::Tensor rms_norm(const at::Tensor &x, const at::Tensor &weight, double epsilon) {
  check(x, "the input");
  check(weight, "the weight");
  TORCH_CHECK(x.dim() > 0 && weight.dim() == 1 && weight.size(0) == x.size(-1), "the weight must be as wide as the input");
  return RMSNorm::apply(x, weight, epsilon);
}

// MARK: silu(gate) ∘ up

/// silu(x) = x / (1 + exp(-x)), by an exponential that cannot overflow.
template <int Count>
CTORCH_KERNEL typename Lanes<Count>::Floats silu(typename Lanes<Count>::Floats x) {
  using L = Lanes<Count>;
  const auto small = L::exp(x > L::all(0) ? -x : x);
  return x * (x > L::all(0) ? L::all(1) : small) / (small + 1.0f);
}

template <int Count>
CTORCH_KERNEL void gate_row(const float *gate, int64_t width, float *to) {
  using L = Lanes<Count>;
  const float *up = gate + width;
  int64_t i = 0;
  for (; i + Count <= width; i += Count) L::store(to + i, silu<Count>(L::load(gate + i)) * L::load(up + i));
  if (i == width) return;
  float rest[Count] = {}, factors[Count] = {};
  std::copy(gate + i, gate + width, rest);
  std::copy(up + i, up + width, factors);
  L::store(rest, silu<Count>(L::load(rest)) * L::load(factors));
  std::copy(rest, rest + (width - i), to + i);
}

using GateRow = void(const float *, int64_t, float *);
void gate_row_128(const float *gate, int64_t width, float *to) { gate_row<4>(gate, width, to); }
CTORCH_WITH_256 void gate_row_256(const float *gate, int64_t width, float *to) { gate_row<8>(gate, width, to); }
CTORCH_WITH_512 void gate_row_512(const float *gate, int64_t width, float *to) { gate_row<16>(gate, width, to); }

struct GatedSiLU : torch::autograd::Function<GatedSiLU> {
  static at::Tensor forward(AutogradContext *context, const at::Tensor &x) {
    context->save_for_backward({x});
    const auto rows = x.contiguous();
    const int64_t width = x.size(-1) / 2;
    auto shape = x.sizes().vec();
    shape.back() = width;
    const auto result = at::empty(shape, rows.options());
    const float *from = rows.const_data_ptr<float>();
    float *to = result.mutable_data_ptr<float>();
    GateRow *const gate = widest_usable(gate_row_128, gate_row_256, gate_row_512);
    in_parallel(width > 0 ? result.numel() / width : 0, [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; row++) gate(from + row * 2 * width, width, to + row * width);
    });
    return result;
  }

  static variable_list backward(AutogradContext *context, variable_list gradients) {
    const auto halves = context->get_saved_variables()[0].chunk(2, -1);
    return {at::cat({at::silu_backward(gradients[0] * halves[1], halves[0]), gradients[0] * at::silu(halves[0])}, -1)};
  }
};

at::Tensor gated_silu(const at::Tensor &x) {
  check(x, "the input");
  TORCH_CHECK(x.dim() > 0 && x.size(-1) % 2 == 0, "the input must be [..., 2 width]");
  return GatedSiLU::apply(x);
}

// MARK: rotary positions

CTORCH_KERNEL void rotate_head(const float *__restrict x, const float *__restrict cosines, const float *__restrict sines,
                               int64_t half, int64_t width, float *__restrict to) {
  for (int64_t i = 0; i < half; i++) {
    to[i] = x[i] * cosines[i] - x[i + half] * sines[i];
    to[i + half] = x[i + half] * cosines[i] + x[i] * sines[i];
  }
  for (int64_t i = 2 * half; i < width; i++) to[i] = x[i];
}

using RotateHead = void(const float *, const float *, const float *, int64_t, int64_t, float *);
void rotate_head_128(const float *x, const float *cosines, const float *sines, int64_t half, int64_t width, float *to) {
  rotate_head(x, cosines, sines, half, width, to);
}
CTORCH_WITH_256 void rotate_head_256(const float *x, const float *cosines, const float *sines, int64_t half,
                                     int64_t width, float *to) {
  rotate_head(x, cosines, sines, half, width, to);
}
CTORCH_WITH_512 void rotate_head_512(const float *x, const float *cosines, const float *sines, int64_t half,
                                     int64_t width, float *to) {
  rotate_head(x, cosines, sines, half, width, to);
}

/// Rotates heads [B, T, heads, width] by the angles of tables for T tokens.
at::Tensor rotated(const at::Tensor &x, const at::Tensor &cosines, const at::Tensor &sines) {
  const auto heads = x.stride(3) == 1 ? x : x.contiguous();
  const int64_t length = x.size(1), count = x.size(2), width = x.size(3), half = cosines.size(-1);
  const auto angles = {x.size(0), length, int64_t(1), half};
  const auto across = cosines.expand(angles), along = sines.expand(angles);
  TORCH_CHECK(across.stride(3) == 1 && along.strides() == across.strides(), "tables must lie alike, row by row");
  const auto result = at::empty({x.size(0), length, count, width}, x.options());
  const float *from = heads.const_data_ptr<float>(), *cosine = across.const_data_ptr<float>(),
              *sine = along.const_data_ptr<float>();
  float *to = result.mutable_data_ptr<float>();
  RotateHead *const rotate = widest_usable(rotate_head_128, rotate_head_256, rotate_head_512);
  in_parallel(x.size(0) * length, [&](int64_t begin, int64_t end) {
    for (int64_t place = begin; place < end; place++) {
      const int64_t window = place / length, token = place % length;
      const int64_t angle = window * across.stride(0) + token * across.stride(1);
      const float *row = from + window * heads.stride(0) + token * heads.stride(1);
      for (int64_t head = 0; head < count; head++) {
        rotate(row + head * heads.stride(2), cosine + angle, sine + angle, half, width,
               to + (place * count + head) * width);
      }
    }
  });
  return result;
}

struct Rotation : torch::autograd::Function<Rotation> {
  static at::Tensor forward(
      AutogradContext *context, const at::Tensor &x, const at::Tensor &cosines, const at::Tensor &sines) {
    context->save_for_backward({cosines, sines});
    return rotated(x, cosines, sines);
  }

  /// The rotation by the opposite angles.
  static variable_list backward(AutogradContext *context, variable_list gradients) {
    const auto saved = context->get_saved_variables();
    return {rotated(gradients[0], saved[0], -saved[1]), at::Tensor(), at::Tensor()};
  }
};

at::Tensor rotate(const at::Tensor &x, const at::Tensor &cosines, const at::Tensor &sines) {
  check(x, "the heads");
  check(cosines, "the cosines");
  check(sines, "the sines");
  TORCH_CHECK(x.dim() == 4, "heads must be [B, T, heads, width]");
  TORCH_CHECK(cosines.sizes() == sines.sizes() && cosines.dim() >= 3 && cosines.size(-2) == 1 &&
                  2 * cosines.size(-1) <= x.size(3),
              "tables must be [T, 1, half] or [B, T, 1, half]");
  return Rotation::apply(x, cosines, sines);
}

}  // namespace
}  // namespace ctorch

TORCH_LIBRARY_FRAGMENT(tempnet, library) {
  library.def("rms_norm(Tensor x, Tensor weight, float epsilon) -> Tensor", ctorch::rms_norm);
  library.def("gated_silu(Tensor x) -> Tensor", ctorch::gated_silu);
  library.def("rotate(Tensor x, Tensor cosines, Tensor sines) -> Tensor", ctorch::rotate);
}
