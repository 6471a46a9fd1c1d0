#pragma once

#include "scalekit/core/clock.hpp"
#include "scalekit/core/export.hpp"
#include "scalekit/db/options.hpp"

#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <optional>

namespace scalekit::db::detail {

class backend;

/// How often a transaction may still be run: the decision, without waiting.
class SCALEKIT_EXPORT transaction_attempts {
 public:
  /// `options` must live until the first failure was looked at. Throws errc::invalid_argument for
  /// max_attempts out of range.
  transaction_attempts(const transaction_options& options, time_point begun);

  /// Those of the next attempt: their timeout is what is left.
  const transaction_options& options() const noexcept { return again_ ? *again_ : *first_; }

  /// An attempt has failed with what a repetition may mend: how long to wait before the next one,
  /// with full jitter; nothing when it was the last, or no time is left. `timeout` is that of the
  /// transaction when its options have none; `random` is any 64 random bits.
  std::optional<std::chrono::nanoseconds> next(std::chrono::nanoseconds timeout, time_point now,
                                               std::uint64_t random);

  unsigned failed() const noexcept { return failed_; }

 private:
  const transaction_options* first_;
  std::optional<transaction_options> again_;
  time_point begun_;
  std::optional<time_point> until_;
  unsigned failed_ = 0;
};

/// What follows from a failed attempt: a pause before the next, or `failure`.
struct attempt_verdict {
  std::optional<std::chrono::nanoseconds> pause = {};
  std::exception_ptr failure = {};
};

/// Asks the driver, and counts. The failure that ends it says how many attempts there were.
SCALEKIT_EXPORT attempt_verdict judge(transaction_attempts& attempts, const backend& driver,
                                      std::exception_ptr failure) noexcept;

/// As judge(), and waits on the calling thread or throws. Throws errc::cancelled when it was
/// stopped meanwhile.
SCALEKIT_EXPORT void wait_or_throw(transaction_attempts& attempts, const backend& driver,
                                   std::exception_ptr failure);

}  // namespace scalekit::db::detail
