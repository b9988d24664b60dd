// Labels of rows of logits.
#pragma once

#include <ATen/core/Tensor.h>

namespace ctorch {

/// Contiguous labels, int64 [rows], each checked to be below `width`.
inline at::Tensor checked_labels(const at::Tensor &labels, int64_t rows, int64_t width) {
  TORCH_CHECK(labels.dim() == 1 && labels.scalar_type() == at::kLong && labels.size(0) == rows,
              "labels must be int64 [N]");
  const auto dense = labels.contiguous();
  const int64_t *label = dense.const_data_ptr<int64_t>();
  for (int64_t row = 0; row < rows; row++) {
    TORCH_CHECK(label[row] >= 0 && label[row] < width, "label ", label[row], " is none of ", width, " logits");
  }
  return dense;
}

}  // namespace ctorch
