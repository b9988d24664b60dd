// Features of this processor that libtorch does not report.
#pragma once

namespace ctorch {

bool is_made_by_intel();

/// Whether it multiplies tiles of bfloat16 (Intel's AMX).
bool has_matrix_units();

/// Whether it adds products of pairs of bfloat16 to float32 (AVX512_BF16).
bool has_paired_products();

/// Whether libtorch's own kernels use vectors of 512 bits; ATEN_CPU_CAPABILITY=avx2 in the environment denies them.
bool has_wide_vectors();

}  // namespace ctorch
