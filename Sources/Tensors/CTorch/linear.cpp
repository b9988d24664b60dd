// tempnet::linear, x · weightᵀ + bias, in float32 or of numbers rounded to bfloat16, with products and sums in float32.
#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include "private_torch.h"
#include "product.h"

namespace ctorch {
namespace {

at::Tensor product(const Side &a, const Side &b, const std::optional<at::Tensor> &bias = {}) {
  const auto result = at::empty({a.rows(), b.columns()}, a.matrix.options().dtype(at::kFloat));
  multiply(a, b, result, Onto::bias(bias));
  return result;
}

/// Adds gradientᵀ · input to the gradient that a weight already has; false where it has none, or none that can be written.
///
/// The product takes no memory of its own, so that the head's gradient of 154 MB exists once, and is not read again to be
/// added. Only `backward` may be used on such a graph, and weights may have no hooks.
bool add_to_gradient(const at::Tensor &weight, const Side &gradient, const Side &input) {
  if (!private_torch::has_bump_version || !weight.is_leaf() || at::GradMode::is_enabled()) return false;
  const auto &sum = weight.grad();
  if (!sum.defined() || sum.scalar_type() != at::kFloat || !sum.is_contiguous()) return false;
  // The product must not read the tensor that it writes.
  if (sum.is_alias_of(gradient.matrix) || sum.is_alias_of(input.matrix)) return false;
  multiply(gradient, input, sum, Onto::result());
  private_torch::bump_version(sum);
  return true;
}

/// Backward keeps the input in the type of the factors: bfloat16 takes half the memory. The weight is rounded again
/// instead, which takes a fiftieth of a step; a rounded copy would take 2 bytes per parameter.
struct Linear : torch::autograd::Function<Linear> {
  static at::Tensor forward(
      torch::autograd::AutogradContext *context, const at::Tensor &x, const at::Tensor &weight,
      const std::optional<at::Tensor> &bias, at::ScalarType factors) {
    const auto input = x.to(factors);
    context->save_for_backward({input, weight});
    context->saved_data["has_bias"] = bias.has_value();
    return product({input}, {weight.to(factors), true}, bias);
  }

  static torch::autograd::variable_list backward(
      torch::autograd::AutogradContext *context, torch::autograd::variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const auto &input = saved[0], &weight = saved[1];
    const auto factors = input.scalar_type();
    const auto gradient = gradients[0].to(factors);
    at::Tensor of_input, of_weight, of_bias;
    if (context->needs_input_grad(0)) of_input = product({gradient}, {weight.to(factors)});
    if (context->needs_input_grad(1) && !add_to_gradient(weight, {gradient, true}, {input})) {
      of_weight = product({gradient, true}, {input}).to(weight.scalar_type());
    }
    if (context->saved_data["has_bias"].toBool() && context->needs_input_grad(2)) of_bias = gradients[0].sum(0);
    return {of_input, of_weight, of_bias, at::Tensor()};
  }
};

/// - rounds: whether the factors are rounded to bfloat16; always so for a weight that is.
at::Tensor linear(
    const at::Tensor &x, const at::Tensor &weight, const std::optional<at::Tensor> &bias, bool rounds) {
  TORCH_CHECK(x.device().is_cpu() && weight.device().is_cpu() && (!bias || bias->device().is_cpu()),
              "input, weight and bias must be on the CPU");
  TORCH_CHECK(x.scalar_type() == at::kFloat && x.dim() > 0, "the input must be float32 [..., in]");
  TORCH_CHECK(weight.dim() == 2 && weight.size(1) == x.size(-1),
              "the weight must be [out, in] with as many columns as the input has");
  const bool is_rounded = rounds || weight.scalar_type() == at::kBFloat16;
  TORCH_CHECK(is_rounded || weight.scalar_type() == at::kFloat, "the weight must be float32 or bfloat16");
  TORCH_CHECK(!bias || (bias->scalar_type() == at::kFloat && bias->dim() == 1 && bias->size(0) == weight.size(0)),
              "the bias must be float32 [out]");
  const auto rows = x.dim() == 1 ? x.unsqueeze(0) : x.flatten(0, -2);
  if (!is_rounded && !multiplies_faster(rows.size(0), rows.size(1), weight.size(0))) return at::linear(x, weight, bias);
  auto shape = x.sizes().vec();
  shape.back() = weight.size(0);
  return Linear::apply(rows, weight, bias, is_rounded ? at::kBFloat16 : at::kFloat).reshape(shape);
}

}  // namespace
}  // namespace ctorch

TORCH_LIBRARY_FRAGMENT(tempnet, library) {
  library.def("linear(Tensor x, Tensor weight, Tensor? bias=None, bool rounds=False) -> Tensor", ctorch::linear);
}
