// Products of matrices by the fastest way that this processor and this libtorch have.
#pragma once

#include <ATen/core/Tensor.h>

namespace ctorch {

/// One side of a product: a matrix [rows, columns] in float32 or bfloat16, or what it is transposed.
struct Side {
  at::Tensor matrix;
  bool is_transposed = false;
  int64_t rows() const { return matrix.size(is_transposed ? 1 : 0); }
  int64_t columns() const { return matrix.size(is_transposed ? 0 : 1); }
  /// The same in contiguous memory; of a matrix that lies there transposed, nothing is copied.
  Side contiguous() const;
};

/// Whether products of float32 matrices are taken to oneDNN's micro kernels here (see tiles.h), past libtorch.
bool takes_floats_to_tiles();

/// Whether a product of float32 matrices, [rows, inner] · [inner, columns], is better taken to `multiply` than to libtorch,
/// where the right side lies transposed in memory as layers' weights do.
bool multiplies_faster(int64_t rows, int64_t inner, int64_t columns);

/// What the sums of a product begin with.
struct Onto {
  enum class Kind { zero, bias, result };
  Kind kind = Kind::zero;
  at::Tensor vector;

  /// With a contiguous vector [columns] in each row; with zeros where there is none.
  static Onto bias(const std::optional<at::Tensor> &bias) {
    return bias ? Onto{Kind::bias, bias->contiguous()} : Onto{};
  }
  /// With what stands where the result is written.
  static Onto result() { return {Kind::result, {}}; }
};

/// Writes a · b, added to what `onto` says, to a contiguous float32 matrix. Both sides are of one type; sums are in
/// float32.
void multiply(const Side &a, const Side &b, const at::Tensor &result, const Onto &onto = {});

}  // namespace ctorch
