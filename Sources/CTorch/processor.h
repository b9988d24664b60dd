// What this processor can do beyond what libtorch's own kernels ask of it.
#pragma once

namespace ctorch {

/// Whether it multiplies tiles of bfloat16 (Intel's AMX).
bool has_matrix_units();

}  // namespace ctorch
