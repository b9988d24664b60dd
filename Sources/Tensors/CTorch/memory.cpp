// Memory of large tensors.
//
// The C library's allocator serves them badly both ways. What it keeps when they are freed it does not always find again, since
// they are aligned: training 175 million parameters so grew from 3.9 to 5.7 GiB in eight steps. What it gives back comes from
// the system again as fresh pages, which cost as much as the arithmetic on them: with tensors of 32 MiB and more given back a
// step took 2.4 s and 3.6 GiB, where this takes 1.6 s and 3.3 GiB. Huge pages were tried and gain nothing once memory is kept.
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

/// From here on a tensor's memory comes from the system by itself, in bytes.
constexpr size_t least_size = 1 << 20;
/// What is given back is given back in such parts, so that little is not given back often.
constexpr size_t least_part = 2 << 20;

size_t rounded_up(size_t size, size_t unit) { return (size + unit - 1) / unit * unit; }

size_t page() {
  static const size_t size = sysconf(_SC_PAGESIZE);
  return size;
}

/// Keeps freed memory for further tensors, as long as what is used and what is kept together are no more than was ever used at
/// once: then large tensors never hold more than their largest moment needs.
class Blocks {
 public:
  /// A block of so many bytes, a multiple of a page's; null where there is no memory.
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

  /// Takes back a block; false for memory that is none.
  bool keep(void *block) {
    // Spares almost all small tensors the lock.
    if (reinterpret_cast<uintptr_t>(block) % page() != 0) return false;
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto place = used_.find(block);
    if (place == used_.end()) return false;
    used_bytes_ -= place->second;
    add_to_kept(static_cast<char *>(block), place->second);
    used_.erase(place);
    return true;
  }

  /// Gives all that is kept to the system. From now on the largest moment is this one.
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
  /// Memory that nothing uses, by where it begins; ranges beside each other are one.
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

  /// The beginning of the smallest range that is large enough, or null.
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

  /// Gives what has been kept longest to the system until no more than `limit` bytes are kept.
  void give_back_all_but(size_t limit) {
    while (kept_bytes_ > limit) {
      const auto oldest = std::min_element(
          kept_.begin(), kept_.end(), [](const auto &a, const auto &b) { return a.second.since < b.second.since; });
      const size_t size = oldest->second.size, part = std::min(size, rounded_up(kept_bytes_ - limit, least_part));
      // Refused where the process has too many mappings to split one more: then it stays.
      if (munmap(oldest->first + (size - part), part) != 0) return;
      kept_bytes_ -= part;
      oldest->second.size -= part;
      if (part == size) kept_.erase(oldest);
    }
  }
};

Blocks &blocks() {
  // Never destroyed: tensors of other static objects may outlive it.
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
    // libtorch's allocator serves what is small, and says how much was asked for where there is no memory.
    if (!memory) memory = c10::GetDefaultCPUAllocator()->raw_allocate(size);
    return {memory, memory, release, c10::Device(c10::kCPU)};
  }

  /// libtorch's layers keep memory without knowing by whom, so that there is one way of freeing all of it.
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
