// Products of matrices by the fastest way that this processor and this libtorch have.
#pragma once

#include <ATen/core/Tensor.h>

namespace ctorch {

/// One side of a product: a matrix in float32 or bfloat16, or its transpose.
struct Side {
  at::Tensor matrix;
  bool is_transposed = false;
  int64_t rows() const { return matrix.size(is_transposed ? 1 : 0); }
  int64_t columns() const { return matrix.size(is_transposed ? 0 : 1); }
  /// The same side over contiguous memory. A matrix whose transpose is contiguous is not copied.
  Side contiguous() const;
};

/// Whether products of float32 matrices are taken to oneDNN's micro kernels here (see tiles.h), past libtorch.
bool takes_floats_to_tiles();

/// Whether `multiply` is faster than libtorch for float32 matrices, [rows, inner] · [inner, columns], whose right side is
/// stored transposed, as the weights of layers are.
bool multiplies_faster(int64_t rows, int64_t inner, int64_t columns);

/// The initial value of a product's sums.
struct Onto {
  enum class Kind { zero, bias, result };
  Kind kind = Kind::zero;
  at::Tensor vector;

  /// A vector [columns] in each row, or zeros without one.
  static Onto bias(const std::optional<at::Tensor> &bias) {
    return bias ? Onto{Kind::bias, bias->contiguous()} : Onto{};
  }
  /// The present elements of the result.
  static Onto result() { return {Kind::result, {}}; }
};

/// Writes `onto` + a · b to a contiguous float32 matrix [a.rows, b.columns]. Both sides have one type; sums are in float32.
void multiply(const Side &a, const Side &b, const at::Tensor &result, const Onto &onto = {});

}  // namespace ctorch
