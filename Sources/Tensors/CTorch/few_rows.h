// Products of a few rows, such as the one of a token that is generated.
#pragma once

#include "product.h"

namespace ctorch {

/// From so many rows on packing a matrix pays.
constexpr int64_t many_rows = 16;

/// Whether there are so few rows in a product with a matrix, [rows, inner] · [columns, inner]ᵀ, that reading the matrix is
/// most of the work, and `multiply_few_rows` is faster than what packs it or reads it on one thread.
bool has_few_rows(int64_t rows, int64_t inner, int64_t columns);

/// As `multiply`, for contiguous sides, of which the second alone is transposed. What becomes of a row does not depend on
/// how many there are. `onto` is no result.
void multiply_few_rows(const Side &a, const Side &b, const at::Tensor &result, const Onto &onto);

}  // namespace ctorch
