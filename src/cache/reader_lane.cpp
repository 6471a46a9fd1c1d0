#include "cache/reader_lane.hpp"

#include <bit>
#include <cstdint>

namespace scalekit::cache::detail {
namespace {

// A bit for each lane that a living thread has.
std::atomic<std::uint32_t> taken{0};

}  // namespace

std::size_t reader_lane::take() noexcept {
  struct holder {
    ~holder() {
      taken.fetch_and(~(std::uint32_t{1} << number_), std::memory_order_release);
      // Destructors of the thread's other objects may still read.
      number_ = shared;
    }
  };
  auto before = taken.load(std::memory_order_relaxed);
  do {
    number_ = static_cast<std::size_t>(std::countr_one(before));
    if (number_ >= shared) return number_ = shared;
  } while (!taken.compare_exchange_weak(before, before | std::uint32_t{1} << number_,
                                        std::memory_order_acquire, std::memory_order_relaxed));
  static thread_local const holder until_the_thread_ends;
  return number_;
}

}  // namespace scalekit::cache::detail
