#include "few_rows.h"

#include <ATen/ATen.h>

#include "lanes.h"
#include "parallel.h"

// On processors of other makers MKL reads the matrix on one thread: with SmolLM2 on two cores of an EPYC of the fifth
// generation that took 20 of the 30 ms of a token. Here both cores read it. In bfloat16, which MKL would emulate there, a
// token takes 17 ms; in float32 28 to 30, because memory is the limit.

namespace ctorch {
namespace {

template <int Count, typename Number>
CTORCH_KERNEL void dot_columns(
    const float *a, int64_t rows, int64_t inner, const Number *b, int64_t begin, int64_t end, const float *bias, float *to,
    int64_t columns) {
  for (int64_t column = begin; column < end; column++) {
    for (int64_t row = 0; row < rows; row++) {
      const float sum = dot<Count>(a + row * inner, b + column * inner, inner);
      to[row * columns + column] = bias ? sum + bias[column] : sum;
    }
  }
}

template <typename Number>
using DotColumns = void(const float *, int64_t, int64_t, const Number *, int64_t, int64_t, const float *, float *, int64_t);
template <typename Number>
void dot_columns_128(
    const float *a, int64_t rows, int64_t inner, const Number *b, int64_t begin, int64_t end, const float *bias, float *to,
    int64_t columns) {
  dot_columns<4>(a, rows, inner, b, begin, end, bias, to, columns);
}
template <typename Number>
CTORCH_WITH_256 void dot_columns_256(
    const float *a, int64_t rows, int64_t inner, const Number *b, int64_t begin, int64_t end, const float *bias, float *to,
    int64_t columns) {
  dot_columns<8>(a, rows, inner, b, begin, end, bias, to, columns);
}
template <typename Number>
CTORCH_WITH_512 void dot_columns_512(
    const float *a, int64_t rows, int64_t inner, const Number *b, int64_t begin, int64_t end, const float *bias, float *to,
    int64_t columns) {
  dot_columns<16>(a, rows, inner, b, begin, end, bias, to, columns);
}

template <typename Number>
void multiply_rows(const at::Tensor &a, const at::Tensor &b, const at::Tensor &result, const float *bias) {
  const int64_t rows = a.size(0), inner = a.size(1), columns = b.size(0);
  const float *left = a.const_data_ptr<float>();
  const Number *right = b.const_data_ptr<Number>();
  float *to = result.mutable_data_ptr<float>();
  DotColumns<Number> *const dot_all = widest_usable<DotColumns<Number> *>(
      dot_columns_128<Number>, dot_columns_256<Number>, dot_columns_512<Number>);
  in_parallel(columns, [&](int64_t begin, int64_t end) {
    dot_all(left, rows, inner, right, begin, end, bias, to, columns);
  });
}

}  // namespace
}  // namespace ctorch

bool ctorch::has_few_rows(int64_t rows, int64_t inner, int64_t columns) {
  return rows > 0 && rows < many_rows && inner * columns >= 1 << 16;
}

void ctorch::multiply_few_rows(const Side &a, const Side &b, const at::Tensor &result, const Onto &onto) {
  const float *bias = onto.kind == Onto::Kind::bias ? onto.vector.const_data_ptr<float>() : nullptr;
  if (b.matrix.scalar_type() == at::kFloat) {
    multiply_rows<float>(a.matrix, b.matrix, result, bias);
  } else {
    multiply_rows<at::BFloat16>(a.matrix.to(at::kFloat), b.matrix, result, bias);
  }
}
