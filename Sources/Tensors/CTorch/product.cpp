#include "product.h"

#include <ATen/ATen.h>

#include "ctorch.h"
#include "few_rows.h"
#include "private_torch.h"
#include "processor.h"
#include "tiles.h"

namespace ctorch {
namespace {

/// Where products are computed. Unless it is forced, the choice depends on the processor alone, so that a machine repeats its
/// results.
enum class Way { mkl, tiles, plain };

ctorch_products forced = ctorch_products_fastest;

/// The backend that was forced, or libtorch's own operators where this processor or this libtorch lacks it.
Way forced_way(at::ScalarType type) {
  if (forced == ctorch_products_tiles && has_tiles(type)) return Way::tiles;
  return forced == ctorch_products_mkl && type != at::kFloat && private_torch::mkl_product() != nullptr ? Way::mkl : Way::plain;
}

Way way(at::ScalarType type) {
  if (forced != ctorch_products_fastest) return forced_way(type);
  if (type == at::kFloat) {
    // On Intel's own processors MKL's products of floats are as good as any.
    static const bool uses_tiles = !is_made_by_intel() && has_tiles(at::kFloat);
    return uses_tiles ? Way::tiles : Way::plain;
  }
  // MKL takes these products to the matrix units itself, even on virtual machines that hide the tiles' palettes, where
  // oneDNN must not (see machine.cpp). Without matrix units MKL emulates them, at a hundredth of float32's speed.
  static const Way of_pairs = private_torch::mkl_product() != nullptr && has_matrix_units() ? Way::mkl
      : has_tiles(at::kBFloat16)                                                            ? Way::tiles
                                                                                            : Way::plain;
  return of_pairs;
}

/// Whether `multiply_few_rows` is faster than MKL. It is not on Intel's own processors, nor for bfloat16 where MKL uses AMX.
bool takes_few_rows(at::ScalarType type, int64_t rows, int64_t inner, int64_t columns) {
  if (forced != ctorch_products_fastest || !has_few_rows(rows, inner, columns)) return false;
  return type == at::kFloat ? !is_made_by_intel() : way(type) != Way::mkl;
}

int narrow(int64_t size) {
  TORCH_CHECK(size <= INT32_MAX, "a matrix has ", size, " rows or columns, more than MKL can count");
  return static_cast<int>(size);
}

void multiply_by_mkl(const Side &a, const Side &b, const at::Tensor &result, bool adds) {
  // Fortran sees every matrix transposed, so it is asked for bᵀ · aᵀ.
  const int columns = narrow(b.columns()), rows = narrow(a.rows()), inner = narrow(a.columns());
  const int right_stride = narrow(b.matrix.size(1)), left_stride = narrow(a.matrix.size(1));
  const float one = 1, share_of_result = adds ? 1 : 0;
  private_torch::mkl_product()(
      b.is_transposed ? "T" : "N", a.is_transposed ? "T" : "N", &columns, &rows, &inner, &one,
      b.matrix.const_data_ptr<at::BFloat16>(), &right_stride, a.matrix.const_data_ptr<at::BFloat16>(), &left_stride,
      &share_of_result,
      result.mutable_data_ptr<float>(), &columns);
}

/// By libtorch's own operators. Factors in bfloat16 are converted to float32, in which their products are exact.
void multiply_plainly(const Side &a, const Side &b, const at::Tensor &result, bool adds) {
  at::Tensor to = result;
  const auto left = a.matrix.to(at::kFloat), right = b.matrix.to(at::kFloat);
  at::addmm_out(to, to, a.is_transposed ? left.t() : left, b.is_transposed ? right.t() : right, adds ? 1 : 0);
}

}  // namespace

Side Side::contiguous() const {
  if (!matrix.is_contiguous() && matrix.t().is_contiguous()) return {matrix.t(), !is_transposed};
  return {matrix.contiguous(), is_transposed};
}

}  // namespace ctorch

bool ctorch::takes_floats_to_tiles() { return way(at::kFloat) == Way::tiles; }

bool ctorch::multiplies_faster(int64_t rows, int64_t inner, int64_t columns) {
  if (takes_few_rows(at::kFloat, rows, inner, columns)) return true;
  // libtorch finishes smaller products before the panels of b are packed.
  return takes_floats_to_tiles() && rows >= many_rows && rows * inner * columns >= 1 << 18;
}

void ctorch::multiply(const Side &a, const Side &b, const at::Tensor &result, const Onto &onto) {
  TORCH_CHECK(a.columns() == b.rows(), "a matrix of ", a.columns(), " columns is multiplied by one of ", b.rows(), " rows");
  TORCH_CHECK(result.dim() == 2 && result.size(0) == a.rows() && result.size(1) == b.columns() && result.is_contiguous() &&
                  result.scalar_type() == at::kFloat,
              "the result must be a contiguous float32 matrix [", a.rows(), ", ", b.columns(), "]");
  if (result.numel() == 0) return;
  const auto type = a.matrix.scalar_type();
  const bool adds = onto.kind == Onto::Kind::result;
  const bool is_few = !adds && takes_few_rows(type, a.rows(), a.columns(), b.columns());
  if (is_few) {
    const Side left = a.contiguous(), right = b.contiguous();
    if (!left.is_transposed && right.is_transposed) return multiply_few_rows(left, right, result, onto);
  }
  // For few rows packing for tiles costs more than the product; libtorch reads a transposed matrix in place.
  const Way chosen = a.columns() == 0 || (is_few && type == at::kFloat) ? Way::plain : way(type);
  if (chosen == Way::tiles) return multiply_by_tiles(a.contiguous(), b.contiguous(), result, onto);
  if (chosen == Way::mkl) {
    multiply_by_mkl(a.contiguous(), b.contiguous(), result, adds);
  } else {
    multiply_plainly(a, b, result, adds);
  }
  if (onto.kind == Onto::Kind::bias) result.add_(onto.vector);
}

const char *ctorch_product_instructions(bool of_bfloat16) {
  switch (ctorch::way(of_bfloat16 ? at::kBFloat16 : at::kFloat)) {
    case ctorch::Way::mkl: return "AMX";
    case ctorch::Way::tiles: return of_bfloat16 ? "AVX512_BF16" : "AVX512";
    case ctorch::Way::plain: return "";
  }
}

void ctorch_force_products(ctorch_products way) { ctorch::forced = way; }
