#include "cache/failover.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <exception>
#include <functional>
#include <utility>

namespace scalekit::cache::detail {
namespace {

/// Of what the keys are, when the server is back: less would not tell whether it bears them.
constexpr double first_share = 0.1;

struct news {
  log_level level;
  const char* event;
  const char* text;
};
constexpr news begun{log_level::warning, "cache.fallback.begun",
                     "the cache's server is away; its fallback is in use"};
constexpr news returning{log_level::warning, "cache.fallback.returning",
                         "the cache's server is back; keys return to it bit by bit"};
constexpr news ended{log_level::info, "cache.fallback.ended",
                     "the cache's server has all keys again"};

/// One of the caller's, and not of a load.
bool is_own_change(shared_verb verb) noexcept {
  return !is_lookup(verb) && verb != shared_verb::fill;
}

bool is_the_callers_own(const error& failure) noexcept {
  const auto code = failure.code();
  return code == errc::cancelled || code == errc::closed || code == errc::forked;
}

/// What a change comes to that was made in the fallback, too. That a server could not be told of
/// an erasure its caller has to hear: other machines may still see what was erased.
shared_result outcome_of_change(const shared_request& what, shared_result&& at_server,
                                shared_result&& aside) {
  const bool is_made = what.verb == shared_verb::put && at_server.failure && !aside.failure &&
                       !is_the_callers_own(*at_server.failure);
  return is_made ? std::move(aside) : std::move(at_server);
}

}  // namespace

failover::failover(std::unique_ptr<shared_driver> driver, std::unique_ptr<fallback_store> fallback,
                   const store_params& params)
    : exec_(params.execution),
      clock_(*params.clock),
      log_(params.log),
      return_over_(params.fallback.return_over),
      line_(std::move(driver), params),
      fallback_(std::move(fallback)) {}

bool failover::is_asynchronous() const noexcept {
  if (!line_.is_asynchronous()) return false;
  return !fallback_ || (phase_.load() == phase::healthy && !is_away());
}

shared_state failover::state() const noexcept {
  if (!fallback_) return is_away() ? shared_state::degraded : shared_state::healthy;
  switch (phase_.load()) {
    case phase::healthy:
      return shared_state::healthy;
    case phase::opening:
    case phase::degraded:
      return shared_state::degraded;
    case phase::recovering:
      break;
  }
  return shared_state::recovering;
}

bool failover::is_away() const noexcept {
  switch (mode_.load(std::memory_order_relaxed)) {
    case shared_mode::server:
      return false;
    case shared_mode::fallback:
      return true;
    case shared_mode::automatic:
      break;
  }
  return line_.breaker() != breaker_state::closed;
}

failover::phase failover::next(phase now, bool is_away) const {
  if (is_away) return now == phase::healthy ? phase::opening : phase::degraded;
  if (now == phase::healthy || now == phase::opening) return phase::healthy;
  if (mode_.load(std::memory_order_relaxed) == shared_mode::server) return phase::healthy;
  if (now == phase::degraded) return phase::recovering;
  return clock_.now() - returns_since_.load() < return_over_ ? phase::recovering : phase::healthy;
}

/// The phase as of now.
failover::phase failover::advance() {
  const auto now = phase_.load();
  // Asked without the lock: the breaker may tell a log that it has changed.
  const bool is_away_now = is_away();
  if (next(now, is_away_now) == now) return now;
  const news* told = nullptr;
  {
    const std::lock_guard turn(turn_);
    for (auto to = next(phase_, is_away_now); to != phase_; to = next(phase_, is_away_now)) {
      switch (to) {
        case phase::opening:
          break;
        case phase::degraded:
          // A change that was on its way to a healthy server is not made in the fallback. What is
          // loaded there later was read after it had been emptied, and so after the source had
          // been changed. Changes come there since `opening`, lookups from now on.
          if (phase_ == phase::opening) fallback_->clear();
          told = &begun;
          break;
        case phase::recovering:
          returns_since_ = clock_.now();
          told = &returning;
          break;
        case phase::healthy:
          told = &ended;
          break;
      }
      phase_ = to;
    }
  }
  if (told) log_(told->level, told->event, told->text, {{"server.address", line_.server()}});
  return phase_.load();
}

/// Whether what is looked up is among those that have returned to the server. A batch goes as its
/// first does: each is right in either place.
bool failover::is_back_for(const shared_request& what) const {
  const std::chrono::duration<double> since = clock_.now() - returns_since_.load();
  const auto passed = since / std::max(return_over_, std::chrono::nanoseconds(1));
  const auto share = first_share + (1 - first_share) * passed;
  constexpr std::size_t parts = 1 << 16;
  const auto part = std::hash<std::string_view>{}(what.keys.at(0)) % parts;
  return static_cast<double>(part) < share * parts;
}

failover::route failover::route_of(const shared_request& what) {
  const bool is_forced = mode_.load(std::memory_order_relaxed) == shared_mode::fallback;
  if (!fallback_) return is_forced ? route::nowhere : route::server;
  const auto now = advance();
  if (what.verb == shared_verb::fill) {
    if (!is_of_fallback(what.expected)) return is_forced ? route::nowhere : route::server;
    return now == phase::degraded || now == phase::recovering ? route::fallback : route::nowhere;
  }
  if (now == phase::healthy) return route::server;
  if (!is_lookup(what.verb)) return is_forced ? route::fallback : route::both;
  if (now == phase::opening) return is_forced ? route::nowhere : route::server;
  const bool asks_server = now == phase::degraded ? !is_forced : is_back_for(what);
  return asks_server ? route::both : route::fallback;
}

/// A change that is not made there: nothing older stays.
void failover::forget(const shared_request& what) noexcept {
  if (what.verb == shared_verb::clear) fallback_->clear();
  for (const auto& key : what.keys) fallback_->forget(key);
  for (const auto& item : what.items) fallback_->forget(item.key);
}

shared_result failover::ask_fallback(const shared_request& what, const deadline& until,
                                     const fallback_store::tokens& begun_at) {
  shared_result result{.is_aside = true};
  try {
    result.answer = fallback_->run(what, until, begun_at);
  } catch (...) {
    result.failure = to_error(std::current_exception());
    if (is_own_change(what.verb)) forget(what);
  }
  return result;
}

shared_result failover::run(const shared_request& what, const deadline& until) {
  const auto to = route_of(what);
  if (to == route::server) return line_.run(what, until);
  if (to == route::nowhere) return line_.decline(what);
  if (is_own_change(what.verb)) {
    const auto begun_at = fallback_->begin(what);
    auto at_server = to == route::both ? line_.run(what, until) : line_.decline(what);
    return outcome_of_change(what, std::move(at_server), ask_fallback(what, until, begun_at));
  }
  if (to == route::both) {
    auto at_server = line_.run(what, until);
    if (!at_server.failure || is_the_callers_own(*at_server.failure)) return at_server;
  }
  return ask_fallback(what, until, {});
}

/// The fallback's files are for calls that block: see is_asynchronous(). What comes here all the
/// same began before that was known: the fallback only forgets.
void failover::start(shared_request what, const deadline& until, std::stop_token stop,
                     shared_driver::callback then) {
  const auto to = route_of(what);
  const bool is_declined = to == route::nowhere || to == route::fallback;
  if (to != route::server && fallback_ && is_own_change(what.verb)) {
    forget(what);
    auto keys = what;
    for (auto& item : keys.items) item.bytes.clear();
    then = [this, keys = std::move(keys), then = std::move(then)](shared_result result) {
      forget(keys);
      then(std::move(result));
    };
  }
  if (!is_declined) return line_.start(std::move(what), until, std::move(stop), std::move(then));
  boost::asio::post(exec_.completion_executor(),
                    [declined = line_.decline(what), then = std::move(then)] { then(declined); });
}

void failover::owe(std::string_view key) {
  line_.owe(key);
  if (fallback_ && phase_.load() != phase::healthy) fallback_->forget(key);
}

}  // namespace scalekit::cache::detail
