// x · Wᵀ + b by whichever library of libtorch is the faster.
#include <ATen/ATen.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <torch/library.h>

namespace ctorch {
namespace {

/// MKL, which libtorch asks, runs other makers' processors with its most general kernels, and packs the weight anew for
/// every product. For float32 on two cores of an AMD EPYC with AVX2, in GFLOP/s, MKL and oneDNN: 85 rows by 49,152 x 576
/// 62 and 113, 512 rows by 3,072 x 576 128 and 154, by 576 x 576 173 and 163.
bool prefers_onednn() {
#if defined(__x86_64__)
  static const bool prefers = !__builtin_cpu_is("intel");
  return prefers;
#else
  return false;
#endif
}

/// Fewer rows than this are a product of a matrix and vectors, which MKL does as well.
constexpr int64_t least_rows = 8;

/// Needs float32 on the processor.
at::Tensor onednn_linear(const at::Tensor &x, const at::Tensor &weight, const std::optional<at::Tensor> &bias) {
  static const auto operation = c10::Dispatcher::singleton().findSchema({"mkldnn::_linear_pointwise", ""});
  if (!operation) return at::linear(x, weight, bias);
  torch::jit::Stack stack{
      x, weight, bias, "none", c10::impl::GenericList(c10::OptionalType::create(c10::NumberType::get())), c10::IValue()};
  operation->callBoxed(stack);
  return stack[0].toTensor();
}

bool is_plain(const at::Tensor &x) { return x.device().is_cpu() && x.scalar_type() == at::kFloat; }

/// What autograd sees is at::linear: the products of its gradients are not slower in MKL.
at::Tensor linear(const at::Tensor &x, const at::Tensor &weight, const std::optional<at::Tensor> &bias) {
  const bool recorded = at::GradMode::is_enabled() &&
                        (x.requires_grad() || weight.requires_grad() || (bias && bias->requires_grad()));
  const int64_t width = x.dim() > 0 ? x.size(-1) : 0;
  const bool fits = is_plain(x) && is_plain(weight) && (!bias || is_plain(*bias)) && weight.dim() == 2 &&
                    weight.size(1) == width && weight.numel() > 0 && x.numel() >= least_rows * width;
  return !recorded && fits && prefers_onednn() ? onednn_linear(x, weight, bias) : at::linear(x, weight, bias);
}

}  // namespace
}  // namespace ctorch

TORCH_LIBRARY_FRAGMENT(tempnet, library) {
  library.def("linear(Tensor x, Tensor weight, Tensor? bias=None) -> Tensor");
  library.def("onednn_linear(Tensor x, Tensor weight, Tensor? bias=None) -> Tensor");
}

TORCH_LIBRARY_IMPL(tempnet, CompositeImplicitAutograd, library) { library.impl("linear", ctorch::linear); }

TORCH_LIBRARY_IMPL(tempnet, CPU, library) { library.impl("onednn_linear", ctorch::onednn_linear); }
