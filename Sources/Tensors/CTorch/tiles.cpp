#include "tiles.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <array>
#include <memory>
#include <tuple>
#include <vector>

#include "lanes.h"
#include "parallel.h"
#include "private_torch.h"
#include "processor.h"

// A micro kernel multiplies a block of a, as it lies in memory, with a panel of b in the order in which it reads it. oneDNN
// writes kernels for the processor it finds; libtorch exports them (private_torch.h). The loops around them are those of every
// such library (Goto & van de Geijn 2008): threads take panels of the result's columns that fit their caches, and go through
// the rows in blocks.
//
// On two cores of an EPYC of the fifth generation (AVX-512), [2048, 576] · [576, 1536] ran at 380 GFLOP/s in float32, where
// MKL, which uses no AVX-512 there, reaches 148, and at 750 in bfloat16; [1024, 768] · [768, 50304] at 365 and 720, where
// oneDNN's own product reaches 250 and 460.

namespace ctorch {
namespace {

constexpr int64_t unit_lanes = 16;
typedef uint32_t Units __attribute__((vector_size(64)));

/// Interleaves rows i and i + 8 of sixteen, for each i. That rotates the eight bits of (row, column) by one: done four
/// times, it exchanges rows and columns.
CTORCH_WITH_512 inline void shuffle_rows(Units (&rows)[unit_lanes]) {
  Units result[unit_lanes];
  for (int i = 0; i < unit_lanes / 2; i++) {
    result[2 * i] = __builtin_shufflevector(
        rows[i], rows[i + unit_lanes / 2], 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    result[2 * i + 1] = __builtin_shufflevector(
        rows[i], rows[i + unit_lanes / 2], 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
  }
  for (int i = 0; i < unit_lanes; i++) rows[i] = result[i];
}

}  // namespace

CTORCH_WITH_512 void transpose(
    const uint32_t *from, int64_t stride, int64_t rows, int64_t columns, uint32_t *to, int64_t to_stride) {
  for (int64_t row = 0; row < rows; row += unit_lanes) {
    for (int64_t column = 0; column < columns; column += unit_lanes) {
      if (row + unit_lanes > rows || column + unit_lanes > columns) {
        for (int64_t i = row; i < std::min(rows, row + unit_lanes); i++) {
          for (int64_t j = column; j < std::min(columns, column + unit_lanes); j++) to[j * to_stride + i] = from[i * stride + j];
        }
        continue;
      }
      Units square[unit_lanes];
      for (int i = 0; i < unit_lanes; i++) memcpy(&square[i], from + (row + i) * stride + column, sizeof(Units));
      for (int turn = 0; turn < 4; turn++) shuffle_rows(square);
      for (int i = 0; i < unit_lanes; i++) memcpy(to + (column + i) * to_stride + row, &square[i], sizeof(Units));
    }
  }
}

namespace {

/// Columns of a panel at most, and rows of a block, of the result.
constexpr int64_t panel_width = 64, block_height = 256;
/// How much of b is packed at a time: with `panel_width` columns 192 KiB at most. The numbers of a block of a that are
/// multiplied with it take four times that, which fits a second-level cache.
constexpr int64_t packed_bytes_per_column = 3072;

/// How many products a kernel adds up before the sum is added to the result. Short chains halve the error of 1,536 products in
/// float32, to that of MKL (2.5e-7 of the norm); the rounding to bfloat16 makes greater errors than long chains do.
template <typename Number>
constexpr int64_t chain = std::is_same_v<Number, float> ? 192 : 768;

/// 32 bits of consecutive rows of b: one float, or two bfloat16, which kernels read side by side.
template <typename Number>
constexpr int64_t rows_of_unit = sizeof(uint32_t) / sizeof(Number);

/// Interleaves each two rows: [rows, columns] becomes [⌈rows/2⌉, columns, 2], with zeros beside an odd last row.
CTORCH_WITH_512 void pair_rows(
    const at::BFloat16 *from, int64_t stride, int64_t rows, int64_t columns, at::BFloat16 *to) {
  const auto *bits = reinterpret_cast<const uint16_t *>(from);
  auto *pairs = reinterpret_cast<uint32_t *>(to);
  for (int64_t row = 0; row < rows; row += 2, pairs += columns) {
    const uint16_t *first = bits + row * stride;
    if (row + 1 < rows) {
      for (int64_t i = 0; i < columns; i++) pairs[i] = first[i] | static_cast<uint32_t>(first[stride + i]) << 16;
    } else {
      for (int64_t i = 0; i < columns; i++) pairs[i] = first[i];
    }
  }
}

/// Copies `rows` rows of b from `row` on, and `columns` columns from `column` on, in the order in which kernels read them.
template <typename Number>
CTORCH_WITH_512 void pack(
    const Side &b, int64_t row, int64_t rows, int64_t column, int64_t columns, Number *to) {
  const Number *data = b.matrix.const_data_ptr<Number>();
  const int64_t stride = b.matrix.size(1);
  if (b.is_transposed) {
    constexpr int64_t unit = rows_of_unit<Number>;
    // An even stride: see `even`.
    const auto *units = reinterpret_cast<const uint32_t *>(data + column * stride + row);
    transpose(units, stride / unit, columns, rows / unit, reinterpret_cast<uint32_t *>(to), columns);
  } else if constexpr (std::is_same_v<Number, float>) {
    for (int64_t i = 0; i < rows; i++) memcpy(to + i * columns, data + (row + i) * stride + column, columns * sizeof(float));
  } else {
    pair_rows(data + row * stride + column, stride, rows, columns, to);
  }
}

/// A transposed copy of a matrix [rows, columns]. Where numbers are paired, an odd number of rows becomes even by a column of
/// zeros in the copy.
template <typename Number>
at::Tensor transposed(const at::Tensor &matrix) {
  constexpr int64_t unit = rows_of_unit<Number>;
  const int64_t rows = matrix.size(0), columns = matrix.size(1), units = (rows + unit - 1) / unit;
  const auto result = at::empty({columns, units * unit}, matrix.options());
  const Number *from = matrix.const_data_ptr<Number>();
  auto *to = reinterpret_cast<uint32_t *>(result.mutable_data_ptr<Number>());
  in_parallel((columns + panel_width - 1) / panel_width, [&](int64_t begin, int64_t end) {
    std::array<Number, panel_width * unit_lanes * unit> paired;
    for (int64_t column = begin * panel_width; column < std::min(columns, end * panel_width); column += panel_width) {
      const int64_t width = std::min(panel_width, columns - column);
      for (int64_t start = 0; start < units; start += unit_lanes) {
        const int64_t count = std::min(unit_lanes, units - start);
        const Number *part = from + start * unit * columns + column;
        if constexpr (unit == 1) {
          transpose(reinterpret_cast<const uint32_t *>(part), columns, count, width, to + column * units + start, units);
        } else {
          pair_rows(part, columns, std::min(rows - start * unit, count * unit), width, paired.data());
          transpose(
              reinterpret_cast<const uint32_t *>(paired.data()), width, count, width, to + column * units + start, units);
        }
      }
    }
  });
  return result;
}

/// Appends a column of zeros to an odd number of columns where kernels add up pairs of products.
template <typename Number>
at::Tensor even(const at::Tensor &matrix) {
  return matrix.size(1) % rows_of_unit<Number> == 0 ? matrix : at::constant_pad_nd(matrix, {0, 1});
}

/// A product, computed tile by tile.
template <typename Number>
class Tiling {
 public:
  Tiling(const Side &a, const Side &b, const at::Tensor &result, const Onto &onto)
      : a_(a.is_transposed ? transposed<Number>(a.matrix) : even<Number>(a.matrix)),
        b_(b.is_transposed ? Side{even<Number>(b.matrix), true} : b), result_(result.mutable_data_ptr<float>()),
        rows_(a.rows()), columns_(b.columns()), onto_(onto), inner_(a_.size(1)) {
    constexpr int64_t packed = packed_bytes_per_column / static_cast<int64_t>(sizeof(Number));
    const int64_t chains = (inner_ + chain<Number> - 1) / chain<Number>;
    // Chains of equal lengths need one kernel.
    chain_ = ((inner_ + chains - 1) / chains + 31) / 32 * 32;
    packed_rows_ = std::max(packed / chain_, int64_t{1}) * chain_;
    deal_out(at::get_num_threads());
  }

  void run() const {
    in_parallel(panels_ * groups_, [&](int64_t begin, int64_t end) {
      const std::unique_ptr<Number[]> packed(new Number[std::min(packed_rows_, (inner_ + 31) / 32 * 32) * width_]);
      for (int64_t start = 0; start < inner_; start += packed_rows_) {
        for (int64_t part = begin; part < end; part++) {
          const int64_t row = part % groups_ * group_height_;
          if (row < rows_) multiply(row, std::min(rows_, row + group_height_), part / groups_ * width_, start, packed.get());
        }
      }
      private_torch::brgemm_release(rows_of_unit<Number> > 1);
    });
  }

 private:
  /// Chooses the width of panels that gives the busiest thread the least work. Where panels are few, their rows are divided
  /// too.
  void deal_out(int64_t threads) {
    const int64_t blocks = (rows_ + block_height - 1) / block_height;
    int64_t least = INT64_MAX;
    for (int64_t width = panel_width; width >= panel_width / 2; width -= 16) {
      const int64_t panels = (columns_ + width - 1) / width;
      const int64_t groups = std::min(blocks, std::max<int64_t>(1, (8 * threads + panels - 1) / panels));
      const int64_t height = (blocks + groups - 1) / groups * block_height;
      const int64_t longest = (panels * groups + threads - 1) / threads * width * height;
      if (longest >= least) continue;
      std::tie(least, width_, panels_, groups_, group_height_) = std::tie(longest, width, panels, groups, height);
    }
  }

  /// Adds `packed_rows_` products from `start` on to rows `begin` to `end` of the panel that starts with `column`.
  void multiply(int64_t begin, int64_t end, int64_t column, int64_t start, Number *packed) const {
    const int64_t width = std::min(width_, columns_ - column), count = std::min(packed_rows_, inner_ - start);
    if (onto_.kind == Onto::Kind::bias && start == 0) add_bias(begin, end, column, width);
    // Where a is padded with a column of zeros, `pack` pads b with a row of them.
    pack(b_, start, std::min(count, b_.rows() - start), column, width, packed);
    int64_t height = 0;
    for (int64_t row = begin; row < end; row += height) {
      height = height_of_block(end - row);
      for (int64_t k = 0; k < count; k += chain_) {
        private_torch::brgemm(
            height, width, std::min(chain_, count - k), inner_, width, columns_,
            onto_.kind != Onto::Kind::zero || start + k > 0,
            a_.const_data_ptr<Number>() + row * inner_ + start + k, packed + k * width,
            result_ + row * columns_ + column, rows_of_unit<Number> > 1);
      }
    }
  }

  /// oneDNN compiles a kernel for each new height, so there must be few.
  static int64_t height_of_block(int64_t rows) {
    return rows >= block_height ? block_height : rows >= 32 ? rows / 32 * 32 : rows;
  }

  void add_bias(int64_t begin, int64_t end, int64_t column, int64_t width) const {
    const float *bias = onto_.vector.const_data_ptr<float>() + column;
    for (int64_t row = begin; row < end; row++) memcpy(result_ + row * columns_ + column, bias, width * sizeof(float));
  }

  at::Tensor a_;
  Side b_;
  float *result_;
  int64_t rows_, columns_;
  Onto onto_;
  int64_t inner_, chain_, packed_rows_, width_, panels_, groups_, group_height_;
};

/// Tries a product: it throws where the processor lacks the instructions. Without oneDNN libtorch has slower kernels under
/// the same name.
template <typename Number>
bool try_kernel() {
  if (!has_wide_vectors() || !at::hasMKLDNN()) return false;
  constexpr int64_t size = 32;
  std::vector<Number> ones(size * size, Number(1.0f));
  std::vector<float> result(size * size);
  try {
    constexpr bool is_paired = rows_of_unit<Number> > 1;
    private_torch::brgemm(size, size, size, size, size, size, false, ones.data(), ones.data(), result.data(), is_paired);
    private_torch::brgemm_release(is_paired);
  } catch (const std::exception &) {
    return false;
  }
  return std::all_of(result.begin(), result.end(), [](float sum) { return sum == size; });
}

}  // namespace
}  // namespace ctorch

bool ctorch::has_tiles(at::ScalarType type) {
  static const bool of_floats = try_kernel<float>();
  // For bfloat16 oneDNN uses the matrix units, which crashes on some virtual machines (see machine.cpp).
  static const bool of_pairs = has_paired_products() && !has_matrix_units() && try_kernel<at::BFloat16>();
  return type == at::kFloat ? of_floats : of_pairs;
}

void ctorch::multiply_by_tiles(const Side &a, const Side &b, const at::Tensor &result, const Onto &onto) {
  if (a.matrix.scalar_type() == at::kFloat) {
    Tiling<float>(a, b, result, onto).run();
  } else {
    Tiling<at::BFloat16>(a, b, result, onto).run();
  }
}
