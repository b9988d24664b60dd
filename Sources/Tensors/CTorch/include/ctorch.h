// The narrow boundary to libtorch: opaque tensors, one function that calls any operator by its name through
// the dispatcher, automatic differentiation, threads and devices. Everything else is Swift.
//
// Functions that can fail return 0, or one of two negative numbers after storing libtorch's words for the calling
// thread, which `ctorch_last_error` returns. No C++ exception passes this boundary.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CTORCH_FAILED (-1)
/// The processor or the GPU has less memory than was asked for.
#define CTORCH_OUT_OF_MEMORY (-2)

/// A reference to a tensor, owned by whoever received it; freed by `ctorch_release`.
typedef struct ctorch_tensor *ctorch_tensor_ref;

/// What one argument or result of an operator is.
typedef enum {
  CTORCH_NONE,
  CTORCH_TENSOR,
  CTORCH_TENSOR_LIST,
  /// A list in which a null reference stands for "no tensor", as `aten::index.Tensor` takes.
  CTORCH_OPTIONAL_TENSOR_LIST,
  CTORCH_INT,
  CTORCH_INT_LIST,
  CTORCH_DOUBLE,
  CTORCH_BOOL,
  CTORCH_STRING,
  /// The name of a device, such as `cpu` or `cuda:0`.
  CTORCH_DEVICE,
} ctorch_kind;

/// One argument or result. Pointers are borrowed for the length of the call; tensors in results are owned by
/// the caller.
typedef struct {
  ctorch_kind kind;
  /// The argument's name in the operator's schema, or null for the next one in order.
  const char *name;
  union {
    ctorch_tensor_ref tensor;
    int64_t integer;
    double number;
    bool boolean;
    const char *string;
    struct {
      const void *items;
      size_t count;
    } list;
  };
} ctorch_value;

/// libtorch's words for the last failure on this thread.
const char *ctorch_last_error(void);

/// Prepares the process: must be called before any other function here, and before threads are started.
/// Deterministic algorithms are switched on and denormal numbers off.
int ctorch_initialize(void);

/// Calls operator `name` (`aten::add`) of `overload` (`Tensor`, or empty). Arguments that are not given take the
/// defaults of the operator's schema. Writes at most `capacity` results and their number.
int ctorch_call(const char *name, const char *overload, const ctorch_value *arguments, size_t argument_count,
                ctorch_value *results, size_t capacity, size_t *result_count);

// Tensors.
void ctorch_release(ctorch_tensor_ref tensor);
int ctorch_from_bytes(const void *bytes, int dtype, const int64_t *shape, size_t rank, ctorch_tensor_ref *result);
/// Copies a tensor's elements, row by row, to `bytes`, which has room for exactly `count` bytes.
int ctorch_copy_bytes(ctorch_tensor_ref tensor, void *bytes, size_t count);
/// A tensor's elements, row by row, valid as long as it lives; null unless they lie in this order in the processor's memory.
const void *ctorch_row_major_bytes(ctorch_tensor_ref tensor);
size_t ctorch_rank(ctorch_tensor_ref tensor);
int64_t ctorch_size(ctorch_tensor_ref tensor, size_t dimension);
int ctorch_dtype(ctorch_tensor_ref tensor);
bool ctorch_is_cuda(ctorch_tensor_ref tensor);

// Automatic differentiation.
bool ctorch_set_gradients_enabled(bool enabled);
int ctorch_set_requires_gradient(ctorch_tensor_ref tensor, bool required);
bool ctorch_requires_gradient(ctorch_tensor_ref tensor);
/// Differentiates a scalar or, where `gradient` is not null, the sum of the tensor's elements times those of `gradient`;
/// adds the result to the gradients of its leaves.
int ctorch_backward(ctorch_tensor_ref tensor, ctorch_tensor_ref gradient);
/// The gradient that `ctorch_backward` left, or null.
int ctorch_gradient(ctorch_tensor_ref tensor, ctorch_tensor_ref *result);
int ctorch_clear_gradient(ctorch_tensor_ref tensor);

// The machine.
int ctorch_seed(uint64_t seed);
int ctorch_threads(void);
int ctorch_set_threads(int count);
/// Returns the memory of freed CPU tensors to the system, and resets `ctorch_peak_memory` to the memory in use.
void ctorch_trim_memory(void);
/// The most bytes that CPU tensors of 1 MiB and more have held at one time.
int64_t ctorch_peak_memory(void);
/// Loads libtorch's CUDA half, if there is one, and says whether a GPU can be used.
bool ctorch_load_cuda(void);
/// The version of libtorch this was built against.
const char *ctorch_version(void);
/// The widest vector instructions that libtorch's kernels use here, such as `AVX2`.
const char *ctorch_cpu_capability(void);
/// The instructions, `AMX`, `AVX512_BF16` or `AVX512`, of the backend that replaces libtorch's own products of matrices; empty
/// without one. Products of bfloat16 are then no faster than those of float32.
const char *ctorch_product_instructions(bool of_bfloat16);

typedef enum {
  ctorch_products_fastest,
  /// oneDNN's micro kernels.
  ctorch_products_tiles,
  /// MKL for bfloat16, even where it emulates them.
  ctorch_products_mkl,
  /// libtorch's own operators.
  ctorch_products_plain,
} ctorch_products;

/// Forces one matrix-product backend, or libtorch's own operators where the processor lacks it. Global; not to be called while
/// products are computed.
void ctorch_force_products(ctorch_products way);

#ifdef __cplusplus
}
#endif
