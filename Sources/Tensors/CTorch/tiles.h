// Products of matrices by oneDNN's micro kernels, which serve processors of every maker.
#pragma once

#include "product.h"

namespace ctorch {

/// Whether this processor and this libtorch have micro kernels for factors of a type, float32 or bfloat16.
bool has_tiles(at::ScalarType type);

/// As `multiply`, for contiguous sides of a type that `has_tiles`, none of them empty.
void multiply_by_tiles(const Side &a, const Side &b, const at::Tensor &result, const Onto &onto);

/// Writes the transpose of a matrix of 32-bit units [rows, columns], whose rows lie `stride` apart, to rows `to_stride` apart.
/// Needs a processor that `has_tiles`.
void transpose(
    const uint32_t *from, int64_t stride, int64_t rows, int64_t columns, uint32_t *to, int64_t to_stride);

}  // namespace ctorch
