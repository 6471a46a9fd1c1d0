#pragma once

// Callers whose calls are stopped, or late, at any moment.

#include "postgres_faults_loop.hpp"
#include "support/sanitizer.hpp"

#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/steady_timer.hpp>

#include <exception>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

namespace faults {

struct storm {
  int callers;
  /// Of each.
  int calls;
  /// A call is ended at a random moment before this.
  std::chrono::microseconds longest;
  /// The number of its first call; the others follow.
  int first = 0;
};

/// Under a sanitizer, where all takes longer, up to four times as late.
inline std::chrono::microseconds moment_before(std::chrono::microseconds end,
                                               std::mt19937& random) {
  end *= support::under_sanitizer ? 4 : 1;
  return std::chrono::microseconds(random() % static_cast<unsigned long>(end.count()));
}

/// What ends a call.
struct limits {
  std::optional<std::chrono::nanoseconds> timeout = {};
  std::stop_token stop = {};

  /// As options of a call, a transaction and so on.
  template <class Options>
  Options in(Options options = {}) const {
    options.timeout = timeout;
    options.stop = stop;
    return options;
  }
};

/// Stops what callers do, at random.
class random_stops {
 public:
  explicit random_stops(const storm& s)
      : current_(static_cast<std::size_t>(s.callers)),
        stopper_([this, pause = s.longest / s.callers](const std::stop_token& over) {
          run(over, pause);
        }) {}

  /// Of a caller's next call.
  std::stop_token next(int caller) {
    const std::lock_guard lock(mutex_);
    auto& its = current_[static_cast<std::size_t>(caller)];
    its = std::stop_source();
    return its.get_token();
  }

 private:
  void run(const std::stop_token& over, std::chrono::microseconds longest_pause) {
    std::mt19937 random(99);
    while (!over.stop_requested()) {
      std::stop_source one(std::nostopstate);
      {
        const std::lock_guard lock(mutex_);
        one = current_[random() % current_.size()];
      }
      one.request_stop();
      std::this_thread::sleep_for(moment_before(longest_pause, random));
    }
  }

  std::mutex mutex_;
  std::vector<std::stop_source> current_;
  std::jthread stopper_;
};

/// `make(number, limits, random)` makes a call, in each caller's thread one after the other. Half
/// of them have a timeout, the others may be stopped. It must not throw.
template <class Make>
void run_callers(const storm& s, Make make) {
  random_stops stops(s);
  std::vector<std::thread> callers;
  for (int caller = 0; caller < s.callers; ++caller) {
    callers.emplace_back([&, caller] {
      std::mt19937 random(static_cast<unsigned>(s.first + caller));
      for (int i = 0; i < s.calls; ++i) {
        limits how;
        if (random() % 2 == 0) {
          how.timeout = moment_before(s.longest, random);
        } else {
          how.stop = stops.next(caller);
        }
        make(s.first + caller * s.calls + i, how, random);
      }
    });
  }
  for (auto& each : callers) each.join();
}

/// Makes one call after the other in an event loop. A third of them have a timeout, the others may
/// be cancelled.
class async_caller {
 public:
  /// Makes a call, whose handler must be a handler() of the caller's.
  using make_call = std::function<void(async_caller&)>;

  async_caller(loop& l, const storm& s, int first, make_call make, std::function<void()> over)
      : longest_(s.longest),
        timer_(l.io()),
        random_(static_cast<unsigned>(first)),
        number_(first - 1),
        left_(s.calls),
        make_(std::move(make)),
        over_(std::move(over)) {}

  void next() {
    if (left_-- == 0) return over_();
    ++number_;
    limits_ = {};
    const auto after = moment_before(longest_, random_);
    if (random_() % 3 == 0) {
      limits_.timeout = after;
    } else {
      timer_.expires_after(after);
      timer_.async_wait([this, turn = number_](boost::system::error_code ec) {
        if (!ec && turn == number_) signal_.emit(asio::cancellation_type::terminal);
      });
    }
    make_(*this);
  }

  // Of the call that is to be made.
  int number() const noexcept { return number_; }
  const limits& how() const noexcept { return limits_; }
  std::mt19937& random() noexcept { return random_; }

  /// Runs `then(failure, result)`, and goes on with the next call.
  template <class Then>
  struct handler_type {
    using cancellation_slot_type = asio::cancellation_slot;
    cancellation_slot_type get_cancellation_slot() const noexcept { return by.signal_.slot(); }

    template <class Result>
    void operator()(const std::exception_ptr& e, const Result& result) {
      then(e, result);
      by.timer_.cancel();
      // Not deeper and deeper, where it completes at once.
      asio::post(by.timer_.get_executor(), [&to = by] { to.next(); });
    }

    async_caller& by;
    Then then;
  };
  template <class Then>
  handler_type<Then> handler(Then then) {
    return {*this, std::move(then)};
  }

 private:
  const std::chrono::microseconds longest_;
  asio::steady_timer timer_;
  asio::cancellation_signal signal_;
  std::mt19937 random_;
  int number_;
  int left_;
  limits limits_;
  make_call make_;
  std::function<void()> over_;
};

/// As run_callers(), of calls without a thread.
inline void run_async_callers(loop& l, const storm& s, const async_caller::make_call& make) {
  std::promise<void> all_over;
  int running = s.callers;
  std::vector<std::unique_ptr<async_caller>> callers;
  l.call([&] {
    for (int i = 0; i < s.callers; ++i) {
      callers.push_back(std::make_unique<async_caller>(l, s, s.first + i * s.calls, make, [&] {
        if (--running == 0) all_over.set_value();
      }));
      callers.back()->next();
    }
  });
  all_over.get_future().get();
  l.call([&] { callers.clear(); });
}

}  // namespace faults
