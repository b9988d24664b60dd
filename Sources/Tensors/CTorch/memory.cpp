// Memory of large tensors.
//
// The C library serves them badly. Freed memory that it keeps often does not fit the next aligned request: training 175
// million parameters grew from 3.9 to 5.7 GiB in eight steps. Memory that it returns comes back as fresh pages, which cost
// as much as the arithmetic on them: with tensors of 32 MiB and more returned, a step took 2.4 s and 3.6 GiB, with this
// allocator 1.6 s and 3.3 GiB. Huge pages gain nothing once memory is kept.
//
// mimalloc 2.0.9 (Debian's package, preloaded in place of this allocator) also returns large blocks. Eight steps of 8
// windows of 256 tokens with 70 million parameters, a TempNet of 13 million and GPT-2's vocabulary on two cores of a Xeon
// with AMX, three runs each:
//
//     this allocator      34 to 37 s   1.99 GiB at most    1.4 million page faults
//     the C library       40 to 43 s   2.16 GiB            4.8 million
//     mimalloc            45 to 51 s   2.02 GiB            8.3 million
#include <c10/core/CPUAllocator.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <map>
#include <mutex>
#include <unordered_map>

#include "ctorch.h"
#include "memory.h"

namespace ctorch {
namespace {

/// The size in bytes from which on a tensor has a block of its own.
constexpr size_t least_size = 1 << 20;
/// The least that is returned to the system at a time: a system call for less costs more than it frees.
constexpr size_t least_part = 2 << 20;

size_t rounded_up(size_t size, size_t unit) { return (size + unit - 1) / unit * unit; }

size_t page() {
  static const size_t size = sysconf(_SC_PAGESIZE);
  return size;
}

/// Keeps freed memory for further tensors. Memory in use and memory kept are together at most the peak of the memory in
/// use, so that large tensors never hold more than they once needed.
class Blocks {
 public:
  /// A block of `size` bytes, a multiple of the page size; null without memory.
  void *take(size_t size) {
    const std::lock_guard<std::mutex> lock(mutex_);
    void *block = taken_from_kept(size);
    if (!block) block = mapped(size);
    if (!block) return nullptr;
    try {
      used_.emplace(block, size);
    } catch (...) {
      munmap(block, size);
      throw;
    }
    used_bytes_ += size;
    most_used_bytes_ = std::max(most_used_bytes_, used_bytes_);
    return block;
  }

  /// Takes back a block; false for memory that `take` did not return.
  bool keep(void *block) {
    // Spares nearly all small tensors the lock: blocks begin with a page.
    if (reinterpret_cast<uintptr_t>(block) % page() != 0) return false;
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto place = used_.find(block);
    if (place == used_.end()) return false;
    used_bytes_ -= place->second;
    add_to_kept(static_cast<char *>(block), place->second);
    used_.erase(place);
    return true;
  }

  /// Returns all kept memory to the system, and resets the peak to the memory in use.
  void trim() {
    const std::lock_guard<std::mutex> lock(mutex_);
    give_back_all_but(0);
    most_used_bytes_ = used_bytes_;
  }

  size_t most_used() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return most_used_bytes_;
  }

 private:
  /// Kept memory, by its start; adjacent ranges are merged.
  struct Range {
    size_t size;
    uint64_t since;
  };

  std::mutex mutex_;
  std::unordered_map<void *, size_t> used_;
  std::map<char *, Range> kept_;
  size_t used_bytes_ = 0, most_used_bytes_ = 0, kept_bytes_ = 0;
  uint64_t time_ = 0;

  void add_to_kept(char *start, size_t size) {
    kept_bytes_ += size;
    auto following = kept_.lower_bound(start);
    if (following != kept_.end() && following->first == start + size) {
      size += following->second.size;
      following = kept_.erase(following);
    }
    if (following != kept_.begin()) {
      const auto previous = std::prev(following);
      if (previous->first + previous->second.size == start) {
        previous->second = {previous->second.size + size, ++time_};
        return;
      }
    }
    kept_.emplace_hint(following, start, Range{size, ++time_});
  }

  /// A block at the start of the smallest kept range that is large enough, or null.
  char *taken_from_kept(size_t size) {
    auto best = kept_.end();
    for (auto range = kept_.begin(); range != kept_.end(); range++) {
      if (range->second.size >= size && (best == kept_.end() || range->second.size < best->second.size)) best = range;
    }
    if (best == kept_.end()) return nullptr;
    const auto [start, range] = *best;
    const auto following = kept_.erase(best);
    if (range.size > size) kept_.emplace_hint(following, start + size, Range{range.size - size, range.since});
    kept_bytes_ -= size;
    return start;
  }

  /// Memory from the system, or null.
  void *mapped(size_t size) {
    const size_t needed = used_bytes_ + size;
    give_back_all_but(std::max(most_used_bytes_, needed) - needed);
    const auto map = [=] { return mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); };
    void *block = map();
    if (block == MAP_FAILED) {
      give_back_all_but(0);
      block = map();
    }
    return block == MAP_FAILED ? nullptr : block;
  }

  /// Returns kept memory to the system, the oldest first, until at most `limit` bytes are kept.
  void give_back_all_but(size_t limit) {
    while (kept_bytes_ > limit) {
      const auto oldest = std::min_element(
          kept_.begin(), kept_.end(), [](const auto &a, const auto &b) { return a.second.since < b.second.since; });
      const size_t size = oldest->second.size, part = std::min(size, rounded_up(kept_bytes_ - limit, least_part));
      // Refused where splitting a mapping would exceed the system's limit: then the memory stays.
      if (munmap(oldest->first + (size - part), part) != 0) return;
      kept_bytes_ -= part;
      oldest->second.size -= part;
      if (part == size) kept_.erase(oldest);
    }
  }
};

Blocks &blocks() {
  // Never destroyed, because tensors of static objects may be freed later.
  static Blocks *const result = new Blocks;
  return *result;
}

class TensorAllocator final : public c10::Allocator {
 public:
  c10::DataPtr allocate(size_t size) override {
    void *memory = nullptr;
    if (size >= least_size && size <= SIZE_MAX / 2) {
      memory = blocks().take(rounded_up(size, page()));
    }
    // libtorch's allocator serves small tensors; where memory is missing it throws with the number of bytes.
    if (!memory) memory = c10::GetDefaultCPUAllocator()->raw_allocate(size);
    return {memory, memory, release, c10::Device(c10::kCPU)};
  }

  /// Some layers of libtorch keep only the address, so that one function must free both kinds of memory.
  c10::DeleterFnPtr raw_deleter() const override { return release; }

  void copy_data(void *target, const void *source, size_t size) const override { default_copy_data(target, source, size); }

 private:
  static void release(void *memory) {
    if (!blocks().keep(memory)) c10::GetDefaultCPUAllocator()->raw_deallocate(memory);
  }
};

}  // namespace

void use_tensor_allocator() {
  static auto *const allocator = new TensorAllocator;
  c10::SetCPUAllocator(allocator, 1);
}

}  // namespace ctorch

void ctorch_trim_memory(void) { ctorch::blocks().trim(); }

int64_t ctorch_peak_memory(void) { return static_cast<int64_t>(ctorch::blocks().most_used()); }
