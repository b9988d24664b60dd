// Products of a few rows, such as the one of a token that is generated.
#pragma once

#include "product.h"

namespace ctorch {

/// The number of rows from which on packing a matrix pays.
constexpr int64_t many_rows = 16;

/// Whether `multiply_few_rows` suits a product [rows, inner] · [columns, inner]ᵀ: reading the matrix is most of the work.
bool has_few_rows(int64_t rows, int64_t inner, int64_t columns);

/// As `multiply`, for contiguous sides of which only the second is transposed, and `onto` other than `result`. A row's
/// result does not depend on the number of rows.
void multiply_few_rows(const Side &a, const Side &b, const at::Tensor &result, const Onto &onto);

}  // namespace ctorch
