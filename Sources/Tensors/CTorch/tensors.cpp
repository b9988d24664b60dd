// Tensors: making, reading, differentiating.
#include "tensors.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/autograd.h>

#include <cstring>

#include "boundary.h"

using namespace ctorch;

void ctorch_release(ctorch_tensor_ref tensor) { delete reinterpret_cast<at::Tensor *>(tensor); }

int ctorch_from_bytes(const void *bytes, int dtype, const int64_t *shape, size_t rank, ctorch_tensor_ref *result) {
  return guarded([&] {
    auto tensor = at::empty({shape, rank}, at::TensorOptions().dtype(static_cast<at::ScalarType>(dtype)));
    if (tensor.nbytes() > 0) std::memcpy(tensor.data_ptr(), bytes, tensor.nbytes());
    *result = wrap(std::move(tensor));
  });
}

int ctorch_copy_bytes(ctorch_tensor_ref tensor, void *bytes, size_t count) {
  return guarded([&] {
    auto dense = unwrap(tensor).detach().to(at::kCPU).contiguous();
    TORCH_CHECK(dense.nbytes() == count, "the tensor has ", dense.nbytes(), " bytes, not ", count);
    if (count > 0) std::memcpy(bytes, dense.data_ptr(), count);
  });
}

const void *ctorch_row_major_bytes(ctorch_tensor_ref tensor) {
  const auto &held = unwrap(tensor);
  return held.is_cpu() && held.is_contiguous() && held.numel() > 0 ? held.const_data_ptr() : nullptr;
}

size_t ctorch_rank(ctorch_tensor_ref tensor) { return static_cast<size_t>(unwrap(tensor).dim()); }

int64_t ctorch_size(ctorch_tensor_ref tensor, size_t dimension) {
  return unwrap(tensor).sizes()[dimension];
}

int ctorch_dtype(ctorch_tensor_ref tensor) { return static_cast<int>(unwrap(tensor).scalar_type()); }

bool ctorch_is_cuda(ctorch_tensor_ref tensor) { return unwrap(tensor).is_cuda(); }

bool ctorch_set_gradients_enabled(bool enabled) {
  const bool before = at::GradMode::is_enabled();
  at::GradMode::set_enabled(enabled);
  return before;
}

int ctorch_set_requires_gradient(ctorch_tensor_ref tensor, bool required) {
  return guarded([&] { unwrap(tensor).set_requires_grad(required); });
}

bool ctorch_requires_gradient(ctorch_tensor_ref tensor) { return unwrap(tensor).requires_grad(); }

int ctorch_backward(ctorch_tensor_ref tensor, ctorch_tensor_ref gradient) {
  return guarded([&] {
    torch::autograd::variable_list gradients;
    if (gradient != nullptr) gradients.push_back(unwrap(gradient));
    torch::autograd::backward({unwrap(tensor)}, gradients);
  });
}

int ctorch_gradient(ctorch_tensor_ref tensor, ctorch_tensor_ref *result) {
  return guarded([&] {
    const auto &gradient = unwrap(tensor).grad();
    *result = gradient.defined() ? wrap(gradient) : nullptr;
  });
}

int ctorch_clear_gradient(ctorch_tensor_ref tensor) {
  return guarded([&] { unwrap(tensor).mutable_grad().reset(); });
}
