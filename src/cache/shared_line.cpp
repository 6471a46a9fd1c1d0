#include "cache/shared_line.hpp"

#include "cache/errors.hpp"

#include <boost/asio/post.hpp>

#include <exception>
#include <utility>
#include <vector>

namespace scalekit::cache::detail {

using namespace std::chrono_literals;

namespace {

constexpr std::size_t most_owed_keys = 4096;
constexpr std::size_t most_owed_bytes = std::size_t{1} << 20;

circuit_breaker_params breaker_params(const std::string& name, const log_sink& log) {
  circuit_breaker_params breaker;
  breaker.name = "the cache's server " + name;
  breaker.consecutive_failures = 5;
  breaker.failure_ratio = 0;
  breaker.pause = {.base = 500ms, .cap = 5s, .full_jitter = false};
  breaker.on_change = [log, name](const breaker_transition& change) {
    if (change.to == breaker_state::open) {
      log(log_level::warning, "cache.shared.paused",
          "the cache's server keeps failing; going on without it for a while",
          {{"server.address", name}});
    } else if (change.to == breaker_state::closed) {
      log(log_level::warning, "cache.shared.resumed", "the cache's server works again",
          {{"server.address", name}});
    }
  };
  return breaker;
}

/// A server that answered is one that works, even if it refused. One that lets nobody in is none.
/// Of one that was given less time than others nothing is known.
breaker_outcome outcome_of_call(const error& failure, bool is_hasty) noexcept {
  const auto code = failure.code();
  if (is_hasty && (is_timeout(code) || outcome_unknown(code))) return breaker_outcome::ignored;
  if (code == errc::cancelled || code == errc::shed || code == errc::closed ||
      code == errc::forked) {
    return breaker_outcome::ignored;
  }
  if (code == errc::read_only || code == errc::disk_full || code == errc::too_large ||
      code == errc::invalid_argument || code == errc::invalid_statement || code == errc::conflict) {
    return breaker_outcome::success;
  }
  return breaker_outcome::failure;
}

std::vector<std::string> keys_of(const std::vector<shared_item>& items) {
  std::vector<std::string> keys;
  for (const auto& item : items) keys.push_back(item.key);
  return keys;
}

}  // namespace

const char* to_string(shared_verb verb) noexcept {
  switch (verb) {
    case shared_verb::find:
      return "find";
    case shared_verb::claim:
      return "claim";
    case shared_verb::fill:
      return "fill";
    case shared_verb::put:
      return "put";
    case shared_verb::erase:
      return "erase";
    case shared_verb::clear:
      return "clear";
  }
  return "";
}

shared_line::shared_line(std::unique_ptr<shared_driver> driver, const store_params& params)
    : is_asynchronous_(driver->is_asynchronous()),
      server_(driver->name()),
      driver_(std::move(driver)),
      timeout_(params.shared_timeout),
      exec_(params.execution),
      // By the machine's time, as its calls are: the store's clock says what has expired.
      breaker_(breaker_params(server_, params.log)),
      owed_(most_owed_keys, most_owed_bytes) {
  if (!params.shared_journal.empty()) journal_.emplace(params.shared_journal, owed_, params.log);
}

void shared_line::close() noexcept {
  is_closing_ = true;
  std::unique_ptr<shared_driver> last;
  const std::lock_guard alone(driver_mutex_);
  last = std::move(driver_);
  if (journal_) journal_->close();
}

shared_line::admission shared_line::admit(const shared_request& what, const allowance& time) {
  admission result;
  if (is_closing_) {
    result.refusal = closed_error();
  } else if (deadline::at(time.end).expired()) {
    result.refusal.emplace(errc::acquire_timeout,
                           "no time was left to ask the cache's server " + server_);
  } else if (!(result.leave = breaker_.try_acquire())) {
    counts_.paused.add();
    result.refusal.emplace(
        errc::unavailable,
        "the cache's server " + server_ + " has been failing and is left alone for a while");
  }
  if (result.refusal) owe_change(what);
  return result;
}

shared_line::allowance shared_line::allow(const deadline& until) const noexcept {
  const auto most = deadline::after(timeout_);
  return {earlier(until, most).when(), until.when() < most.when()};
}

/// A change that the server was not told of.
void shared_line::owe_change(const shared_request& what) {
  switch (what.verb) {
    case shared_verb::clear:
      owed_.add_everything();
      break;
    case shared_verb::erase:
      for (const auto& key : what.keys) owed_.add(key);
      break;
    case shared_verb::put:
      for (const auto& item : what.items) owed_.add(item.key);
      break;
    case shared_verb::find:
    case shared_verb::claim:
    case shared_verb::fill:
      return;
  }
  note_debts();
}

std::optional<shared_line::debt> shared_line::debt_of(const shared_request& what) const {
  if (what.verb == shared_verb::clear || owed_.empty()) return std::nullopt;
  auto due = what.items.empty() ? owed_.due(what.keys) : owed_.due(keys_of(what.items));
  if (!due) return std::nullopt;
  if (due->everything) return debt{{.verb = shared_verb::clear}, *std::move(due)};
  shared_request request{.verb = shared_verb::erase, .keys = due->keys};
  return debt{std::move(request), *std::move(due)};
}

void shared_line::settle(const shared_request& what, const shared_result& result,
                         circuit_breaker::permit& leave, bool is_hasty) {
  if (!result.failure) {
    leave.success();
    return;
  }
  const auto outcome = outcome_of_call(*result.failure, is_hasty);
  leave.report(outcome);
  owe_change(what);
  if (outcome == breaker_outcome::ignored) return;
  (is_lookup(what.verb) ? counts_.read_errors : counts_.write_errors).add();
  // What stands there is more than any store would write, and costs a connection each time.
  if (result.failure->code() == errc::too_large && is_lookup(what.verb) && what.keys.size() == 1) {
    owe(what.keys.front());
  }
}

shared_result shared_line::decline(const shared_request& what) {
  owe_change(what);
  if (is_closing_) return {{}, closed_error()};
  counts_.paused.add();
  return {{}, error(errc::unavailable, "the cache's server " + server_ + " is not to be asked")};
}

shared_result shared_line::run_one(const shared_request& what, const allowance& time) {
  std::shared_lock in_use(driver_mutex_);
  auto [leave, refusal] = admit(what, time);
  if (!leave) return {{}, std::move(refusal)};
  shared_result result;
  try {
    result.answer = driver_->run(what, deadline::at(time.end));
  } catch (...) {
    result.failure = to_error(std::current_exception());
  }
  in_use.unlock();
  settle(what, result, *leave, time.is_hasty);
  return result;
}

shared_result shared_line::run(const shared_request& what, const deadline& until) {
  const auto end = allow(until);
  if (const auto due = debt_of(what)) {
    auto paid = run_one(due->request, end);
    if (paid.failure) {
      owe_change(what);
      return paid;
    }
    note_paid(due->payment);
  }
  if (what.verb != shared_verb::clear) return run_one(what, end);
  const auto owed_until_now = owed_.all();
  auto result = run_one(what, end);
  if (!result.failure) note_paid(owed_until_now);
  return result;
}

void shared_line::start_one(shared_request what, const allowance& time, std::stop_token stop,
                            shared_driver::callback then) {
  const std::shared_lock in_use(driver_mutex_);
  auto [leave, refusal] = admit(what, time);
  if (!leave) {
    boost::asio::post(exec_.completion_executor(), [refused = shared_result{{}, std::move(refusal)},
                                                    then = std::move(then)] { then(refused); });
    return;
  }
  auto sent = std::make_shared<std::pair<shared_request, circuit_breaker::permit>>(
      std::move(what), *std::move(leave));
  driver_->start(
      sent->first, deadline::at(time.end), std::move(stop),
      [this, sent, is_hasty = time.is_hasty, then = std::move(then)](shared_result result) {
        settle(sent->first, result, sent->second, is_hasty);
        then(std::move(result));
      });
}

void shared_line::start(shared_request what, const deadline& until, std::stop_token stop,
                        shared_driver::callback then) {
  const auto end = allow(until);
  auto due = debt_of(what);
  if (!due) {
    if (what.verb == shared_verb::clear) {
      then = [this, owed_until_now = owed_.all(), then = std::move(then)](shared_result result) {
        if (!result.failure) note_paid(owed_until_now);
        then(std::move(result));
      };
    }
    return start_one(std::move(what), end, std::move(stop), std::move(then));
  }
  start_one(std::move(due->request), end, stop,
            [this, end, stop, payment = std::move(due->payment), what = std::move(what),
             then = std::move(then)](shared_result paid) mutable {
              if (paid.failure) {
                owe_change(what);
                return then(std::move(paid));
              }
              note_paid(payment);
              start_one(std::move(what), end, std::move(stop), std::move(then));
            });
}

}  // namespace scalekit::cache::detail
