// How C++ failures become C results.
#pragma once

#include <c10/util/Exception.h>

#include <exception>
#include <string>

namespace ctorch {

extern thread_local std::string last_error;

/// Runs `body` and turns any exception into -1 and a message.
template <typename Body>
int guarded(Body &&body) noexcept {
  try {
    body();
    return 0;
  } catch (const c10::Error &error) {
    last_error = error.what_without_backtrace();
  } catch (const std::exception &error) {
    last_error = error.what();
  } catch (...) {
    last_error = "unknown C++ exception";
  }
  return -1;
}

}  // namespace ctorch
