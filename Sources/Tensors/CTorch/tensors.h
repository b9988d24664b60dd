// The two ways across the boundary for a tensor: a handle is a heap-allocated `at::Tensor`.
#pragma once

#include <ATen/core/Tensor.h>

#include "ctorch.h"

namespace ctorch {

inline at::Tensor &unwrap(ctorch_tensor_ref reference) { return *reinterpret_cast<at::Tensor *>(reference); }

inline ctorch_tensor_ref wrap(at::Tensor tensor) {
  return reinterpret_cast<ctorch_tensor_ref>(new at::Tensor(std::move(tensor)));
}

}  // namespace ctorch
