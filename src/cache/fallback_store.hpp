#pragma once

#include "cache/fence.hpp"
#include "cache/shared_driver.hpp"
#include "cache/shared_frame.hpp"
#include "scalekit/core/deadline.hpp"

#include <cstdint>
#include <string_view>
#include <vector>

namespace scalekit::cache::detail {

/// What keeps values while a server is away: on this machine, empty when that begins.
///
/// Thread safety: all members may be called from any thread.
class fallback_store {
 public:
  fallback_store() = default;
  virtual ~fallback_store() = default;
  fallback_store(const fallback_store&) = delete;
  fallback_store& operator=(const fallback_store&) = delete;

  /// Where a put or an erase stood when it began, for each of its keys.
  using tokens = std::vector<fill_token>;

  /// To be called before a put or an erase is made anywhere: one that began before it, and is made
  /// here after it, keeps nothing.
  virtual tokens begin(const shared_request& what) = 0;

  /// As a server would answer, with frames of fallback_epoch. Throws scalekit::error; what a change
  /// that throws leaves behind is to be forgotten by forget(). `begun`: of a put, what begin()
  /// said.
  virtual shared_answer run(const shared_request& what, const deadline& until,
                            const tokens& begun = {}) = 0;

  /// Nothing older stands under the key any more, nor comes there by what has begun. Waits for
  /// nothing.
  virtual void forget(std::string_view key) noexcept = 0;
  /// The same for all keys.
  virtual void clear() noexcept = 0;

  struct counts {
    std::uint64_t bytes = 0;
    /// What could not be read or written, or was left alone because of that.
    std::uint64_t errors = 0;
  };
  virtual counts counted() const noexcept = 0;
};

/// In the place of a server's epoch: what was found here is not taken for what stands there.
inline constexpr std::string_view fallback_epoch = "fallback";
static_assert(fallback_epoch.size() == epoch_bytes);

/// Whether `expected` (of shared_request) was taken from what a fallback_store has answered.
inline bool is_of_fallback(std::string_view expected) noexcept {
  return parse_frame(expected).epoch == fallback_epoch;
}

}  // namespace scalekit::cache::detail
