// Work for libtorch's own threads.
#pragma once

#include <ATen/Parallel.h>
#include <ATen/TensorIterator.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <atomic>
#include <vector>

namespace ctorch {

/// The numbers from 0 to `count`, dealt out to threads in parts.
///
/// Each thread first takes the parts of its own share, whose memory its caches may hold from the region before, and then
/// parts that others have left. So no thread waits for more than one part, also on processors that are shared or of uneven
/// speed.
class Parts {
 public:
  Parts(int64_t count, int64_t threads) : shares_(threads) {
    for (int64_t i = 0; i < threads; i++) {
      shares_[i].next = count * i / threads;
      shares_[i].end = count * (i + 1) / threads;
      shares_[i].length = std::max<int64_t>(1, (shares_[i].end - shares_[i].next + of_share - 1) / of_share);
    }
  }

  /// Calls `body(begin, end)` for parts of the thread's share, then of other shares, until none is left.
  template <typename Body>
  void work(int64_t thread, const Body &body) {
    for (size_t i = 0; i < shares_.size(); i++) {
      Share &share = shares_[(thread + i) % shares_.size()];
      while (true) {
        const int64_t begin = share.next.fetch_add(share.length, std::memory_order_relaxed);
        if (begin >= share.end) break;
        body(begin, std::min(begin + share.length, share.end));
      }
    }
  }

 private:
  /// Parts per share. More parts cost more than they gain.
  static constexpr int64_t of_share = 8;

  /// Aligned so that no two shares are in one cache line.
  struct alignas(64) Share {
    std::atomic<int64_t> next;
    int64_t end, length;
  };

  std::vector<Share> shares_;
};

/// Calls `body(begin, end)` for contiguous parts of 0..<count, on libtorch's own threads. The result must not depend on the
/// parts.
///
/// `at::parallel_for` runs serially in code that was not compiled with OpenMP; an iterator over tensors is compiled into
/// libtorch, and here it walks the addresses of as many bytes as there are threads, which nobody reads. Threads of our own
/// would compete with libtorch's.
template <typename Body>
void in_parallel(int64_t count, const Body &body) {
  if (count == 0) return;
  const int64_t threads = std::min<int64_t>(count, at::get_num_threads());
  if (threads == 1) return body(0, count);
  Parts parts(count, threads);
  const auto places = at::empty({threads}, at::kByte);
  const auto *first = static_cast<const char *>(places.const_data_ptr());
  auto iterator = at::TensorIteratorConfig().add_const_input(places).build();
  iterator.for_each(
      [&](char **data, const int64_t *, int64_t length) {
        for (int64_t i = 0; i < length; i++) parts.work(data[0] - first + i, body);
      },
      1);
}

}  // namespace ctorch
