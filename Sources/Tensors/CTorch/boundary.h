// How C++ failures become C results.
#pragma once

#include <c10/util/Exception.h>

#include <exception>
#include <new>
#include <string>

#include "ctorch.h"

namespace ctorch {

extern thread_local std::string last_error;

/// Whether a message of libtorch says that memory ran out: only the GPU's allocator has an exception type for it.
inline bool tells_of_memory(const std::string &words) {
  return words.find("DefaultCPUAllocator: can't allocate memory") != std::string::npos ||
         words.find("CUDA error: out of memory") != std::string::npos ||
         words.find("CUBLAS_STATUS_ALLOC_FAILED") != std::string::npos;
}

/// Runs `body` and turns any exception into a status and a message.
template <typename Body>
int guarded(Body &&body) noexcept {
  try {
    body();
    return 0;
  } catch (const c10::OutOfMemoryError &error) {
    last_error = error.what_without_backtrace();
    return CTORCH_OUT_OF_MEMORY;
  } catch (const c10::Error &error) {
    last_error = error.what_without_backtrace();
    if (tells_of_memory(last_error)) return CTORCH_OUT_OF_MEMORY;
  } catch (const std::bad_alloc &error) {
    last_error = error.what();
    return CTORCH_OUT_OF_MEMORY;
  } catch (const std::exception &error) {
    last_error = error.what();
  } catch (...) {
    last_error = "unknown C++ exception";
  }
  return CTORCH_FAILED;
}

}  // namespace ctorch
