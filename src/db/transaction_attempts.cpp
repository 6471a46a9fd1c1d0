#include "scalekit/db/detail/transaction_attempts.hpp"

#include "scalekit/core/backoff.hpp"
#include "scalekit/core/deadline.hpp"
#include "scalekit/core/detail/sleep.hpp"
#include "scalekit/core/error.hpp"
#include "scalekit/core/random.hpp"
#include "scalekit/db/detail/backend.hpp"

#include <chrono>
#include <string>
#include <utility>

namespace scalekit::db::detail {
namespace {

// Whom it lost against is, as a rule, done within milliseconds.
constexpr backoff_params pauses{.base = std::chrono::milliseconds(10),
                                .cap = std::chrono::seconds(1)};
constexpr unsigned most_attempts = 100;

}  // namespace

transaction_attempts::transaction_attempts(const transaction_options& options, time_point begun)
    : first_(&options), begun_(begun) {
  if (options.max_attempts >= 1 && options.max_attempts <= most_attempts) return;
  throw error(errc::invalid_argument, "transaction_options.max_attempts is " +
                                          std::to_string(options.max_attempts) +
                                          "; its range is 1 to " + std::to_string(most_attempts));
}

std::optional<std::chrono::nanoseconds> transaction_attempts::next(std::chrono::nanoseconds timeout,
                                                                   time_point now,
                                                                   std::uint64_t random) {
  if (!again_) again_ = *first_;
  if (!until_) until_ = deadline::after(again_->timeout.value_or(timeout), begun_).when();
  if (++failed_ >= again_->max_attempts) return std::nullopt;
  const auto pause = backoff_delay(pauses, failed_, random);
  if (now + pause >= *until_) return std::nullopt;
  again_->timeout = *until_ - (now + pause);
  return pause;
}

attempt_verdict judge(transaction_attempts& attempts, const backend& driver,
                      std::exception_ptr failure) noexcept {
  try {
    std::rethrow_exception(failure);
  } catch (const error& e) {
    try {
      if (!driver.is_retryable(e)) return {{}, std::move(failure)};
      const auto now = std::chrono::steady_clock::now();
      if (auto pause =
              attempts.next(driver.transaction_timeout(), now, random_generator::random_seed())) {
        return {pause, {}};
      }
      auto diag = e.diag();
      diag.client_message += "; given up after " + std::to_string(attempts.failed()) +
                             (attempts.failed() == 1 ? " attempt" : " attempts");
      return {{}, std::make_exception_ptr(error(e.code(), std::move(diag)))};
    } catch (...) {
      return {{}, std::move(failure)};
    }
  } catch (...) {
    // The host's own, which it knows what to do with.
    return {{}, std::move(failure)};
  }
}

void wait_or_throw(transaction_attempts& attempts, const backend& driver,
                   std::exception_ptr failure) {
  auto verdict = judge(attempts, driver, std::move(failure));
  if (verdict.failure) std::rethrow_exception(verdict.failure);
  const auto until = std::chrono::steady_clock::now() + *verdict.pause;
  if (!scalekit::detail::sleep_until(until, attempts.options().stop)) {
    throw error(errc::cancelled, "cancelled before another attempt at the transaction");
  }
}

}  // namespace scalekit::db::detail
