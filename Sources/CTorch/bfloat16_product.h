// Products of bfloat16 matrices.
#pragma once

#include <ATen/core/Tensor.h>

namespace ctorch {

/// One side of a product: a matrix [rows, columns] in bfloat16, or what it is transposed.
struct Side {
  at::Tensor matrix;
  bool is_transposed = false;
  int64_t rows() const { return matrix.size(is_transposed ? 1 : 0); }
  int64_t columns() const { return matrix.size(is_transposed ? 0 : 1); }
};

/// Writes a · b, with sums in float32, to a contiguous float32 matrix.
void multiply(const Side &a, const Side &b, const at::Tensor &result);

}  // namespace ctorch
