// The functions of libtorch that CTorch calls although they are not part of its public interface. No other file may call one.
//
//     at::native::cpublas::brgemm, brgemm_release    oneDNN's micro kernels: tiles.cpp, attention.cpp
//     gemm_bf16bf16f32_                              MKL's product of bfloat16 matrices: product.cpp
//     torch::autograd::impl::bump_version            tells autograd that a tensor was written: linear.cpp
//
// A release of libtorch may drop or change any of them. Their declarations are compared below with those of libtorch 2.11
// to 2.13; whether the products are right on a processor is tried at run time (tiles.cpp). There are two switches to plain
// operators:
//
//     swift build -Xcxx -DCTORCH_PUBLIC_ONLY    builds without these functions
//     TEMPNET_PRODUCTS=plain                    in the environment of a program: products by libtorch's own operators
#pragma once

#include <ATen/core/Tensor.h>
#include <torch/version.h>

#if TORCH_VERSION_MAJOR < 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR < 11)
#error "CTorch needs libtorch 2.11 or later"
#endif

#ifdef CTORCH_PUBLIC_ONLY

namespace ctorch::private_torch {

/// A product of bfloat16 matrices in MKL's Fortran interface.
using MKLProduct = void(
    const char *, const char *, const int *, const int *, const int *, const float *, const at::BFloat16 *, const int *,
    const at::BFloat16 *, const int *, const float *, float *, const int *);

template <typename Number>
void brgemm(int64_t, int64_t, int64_t, int64_t, int64_t, int64_t, bool, const Number *, const Number *, float *, bool) {
  TORCH_CHECK(false, "this build calls public functions of libtorch only");
}
inline void brgemm_release(bool) {}
inline MKLProduct *mkl_product() { return nullptr; }
constexpr bool has_bump_version = false;
inline void bump_version(const at::Tensor &) {}

}  // namespace ctorch::private_torch

#else

#include <ATen/native/CPUBlas.h>
#include <torch/csrc/autograd/variable.h>

#include <concepts>

// libtorch exports MKL's symbol where it was built with MKL.
extern "C" __attribute__((weak)) void gemm_bf16bf16f32_(
    const char *transa, const char *transb, const int *m, const int *n, const int *k, const float *alpha,
    const at::BFloat16 *a, const int *lda, const at::BFloat16 *b, const int *ldb, const float *beta, float *c,
    const int *ldc);

namespace ctorch::private_torch {

using MKLProduct = decltype(gemm_bf16bf16f32_);

template <typename Number>
concept HasMicroKernels = requires(int64_t size, bool flag, const Number *factor, float *sum) {
  { at::native::cpublas::brgemm(size, size, size, size, size, size, flag, factor, factor, sum, flag) } -> std::same_as<void>;
  { at::native::cpublas::brgemm_release(flag) } -> std::same_as<void>;
};
static_assert(
    HasMicroKernels<float> && HasMicroKernels<at::BFloat16>,
    "this libtorch declares at::native::cpublas::brgemm otherwise than 2.11 to 2.13: adapt private_torch.h, or define "
    "CTORCH_PUBLIC_ONLY");

template <typename Variable>
concept HasVersions = requires(const Variable &variable) {
  { torch::autograd::impl::bump_version(variable) } -> std::same_as<void>;
};
static_assert(
    HasVersions<at::Tensor>,
    "this libtorch declares torch::autograd::impl::bump_version otherwise than 2.11 to 2.13: adapt private_torch.h, or define "
    "CTORCH_PUBLIC_ONLY");

/// c = a · b, added to what c holds where `adds`: [rows, inner] · [inner, columns], whose rows lie a stride apart. With
/// `is_paired` b holds two consecutive rows side by side, as bfloat16 must.
///
/// Throws where the processor lacks the kernels' instructions.
template <typename Number>
void brgemm(
    int64_t rows, int64_t columns, int64_t inner, int64_t a_stride, int64_t b_stride, int64_t c_stride, bool adds,
    const Number *a, const Number *b, float *c, bool is_paired) {
  at::native::cpublas::brgemm(rows, columns, inner, a_stride, b_stride, c_stride, adds, a, b, c, is_paired);
}

/// To be called by each thread after its last kernel: it gives the matrix units back.
inline void brgemm_release(bool is_paired) { at::native::cpublas::brgemm_release(is_paired); }

/// Null where libtorch was built without MKL.
inline MKLProduct *mkl_product() { return gemm_bf16bf16f32_; }

/// Whether autograd can be told that a tensor was written past it. Otherwise no tensor that it knows may be.
constexpr bool has_bump_version = true;
inline void bump_version(const at::Tensor &tensor) { torch::autograd::impl::bump_version(tensor); }

}  // namespace ctorch::private_torch

#endif
