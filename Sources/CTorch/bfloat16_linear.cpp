// tempnet::bfloat16_linear, x · weightᵀ + bias of numbers rounded to bfloat16, products and sums in float32.
#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include "bfloat16_product.h"
#include "ctorch.h"
#include "processor.h"

// MKL's product of bfloat16 matrices, in its Fortran interface, which libtorch exports where it was built with MKL.
extern "C" __attribute__((weak)) void gemm_bf16bf16f32_(
    const char *transa, const char *transb, const int *m, const int *n, const int *k, const float *alpha,
    const at::BFloat16 *a, const int *lda, const at::BFloat16 *b, const int *ldb, const float *beta, float *c,
    const int *ldc);

namespace ctorch {
namespace {

bool is_mkl_forced = false;

/// MKL takes these products to the matrix units itself, even on virtual machines that hide the tiles' palettes, where
/// oneDNN, which libtorch would ask, must not (see machine.cpp). Without matrix units MKL emulates them, at a hundredth
/// of float32's speed.
bool uses_mkl() { return gemm_bf16bf16f32_ != nullptr && (is_mkl_forced || has_matrix_units()); }

int narrow(int64_t size) {
  TORCH_CHECK(size <= INT32_MAX, "a matrix has ", size, " rows or columns, more than MKL can count");
  return static_cast<int>(size);
}

at::Tensor product(const Side &a, const Side &b) {
  const auto result = at::empty({a.rows(), b.columns()}, a.matrix.options().dtype(at::kFloat));
  multiply(a, b, result);
  return result;
}

/// What backward needs is kept in bfloat16: half of what float32 layers keep of their inputs, and the rounded weight.
struct RoundedLinear : torch::autograd::Function<RoundedLinear> {
  static at::Tensor forward(
      torch::autograd::AutogradContext *context, const at::Tensor &x, const at::Tensor &weight) {
    const auto input = x.to(at::kBFloat16), factors = weight.to(at::kBFloat16);
    context->save_for_backward({input, factors});
    context->saved_data["weight_type"] = weight.scalar_type();
    return product({input}, {factors, true});
  }

  static torch::autograd::variable_list backward(
      torch::autograd::AutogradContext *context, torch::autograd::variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const auto gradient = gradients[0].to(at::kBFloat16);
    at::Tensor of_input, of_weight;
    if (context->needs_input_grad(0)) of_input = product({gradient}, {saved[1]});
    if (context->needs_input_grad(1)) {
      of_weight = product({gradient, true}, {saved[0]}).to(context->saved_data["weight_type"].toScalarType());
    }
    return {of_input, of_weight};
  }
};

at::Tensor bfloat16_linear(const at::Tensor &x, const at::Tensor &weight, const std::optional<at::Tensor> &bias) {
  TORCH_CHECK(x.scalar_type() == at::kFloat && x.dim() > 0, "the input must be float32 [..., in]");
  TORCH_CHECK(weight.dim() == 2 && weight.size(1) == x.size(-1),
              "the weight must be [out, in] with as many columns as the input has");
  auto shape = x.sizes().vec();
  shape.back() = weight.size(0);
  const auto result =
      RoundedLinear::apply(x.reshape({-1, weight.size(1)}), weight).reshape(shape);
  return bias ? result + *bias : result;
}

}  // namespace
}  // namespace ctorch

void ctorch::multiply(const Side &a, const Side &b, const at::Tensor &result) {
  if (!uses_mkl() || a.columns() == 0) {
    // The same numbers: products of bfloat16 are exact in float32.
    at::Tensor to = result;
    const auto left = a.matrix.to(at::kFloat), right = b.matrix.to(at::kFloat);
    at::mm_out(to, a.is_transposed ? left.t() : left, b.is_transposed ? right.t() : right);
    return;
  }
  const auto left = a.matrix.contiguous(), right = b.matrix.contiguous();
  if (result.numel() == 0) return;
  // Fortran sees every matrix transposed, so it is asked for bᵀ · aᵀ.
  const int columns = narrow(b.columns()), rows = narrow(a.rows()), inner = narrow(a.columns());
  const int right_stride = narrow(right.size(1)), left_stride = narrow(left.size(1));
  const float one = 1, zero = 0;
  gemm_bf16bf16f32_(
      b.is_transposed ? "T" : "N", a.is_transposed ? "T" : "N", &columns, &rows, &inner, &one,
      right.const_data_ptr<at::BFloat16>(), &right_stride, left.const_data_ptr<at::BFloat16>(), &left_stride, &zero,
      result.mutable_data_ptr<float>(), &columns);
}

void ctorch_force_bfloat16_products(bool forced) { ctorch::is_mkl_forced = forced; }

bool ctorch_has_matrix_units(void) { return gemm_bf16bf16f32_ != nullptr && ctorch::has_matrix_units(); }

TORCH_LIBRARY_FRAGMENT(tempnet, library) {
  library.def("bfloat16_linear(Tensor x, Tensor weight, Tensor? bias=None) -> Tensor", ctorch::bfloat16_linear);
}
