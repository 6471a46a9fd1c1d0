#include "scalekit/redis/detail/gathering.hpp"

#include "redis/call_errors.hpp"
#include "scalekit/core/deadline.hpp"

#include <boost/asio/post.hpp>

#include <chrono>
#include <future>
#include <utility>

namespace scalekit::redis::detail {

using namespace std::chrono_literals;

namespace {

/// How long a thread waits beyond its deadline for what has the same deadline and knows more.
constexpr auto grace = 300ms;

}  // namespace

class gathering::member final : public call {
 public:
  member(request r, call_outcome& outcome, std::shared_ptr<gathering> of)
      : call(std::move(r)), outcome_(outcome), of_(std::move(of)) {}

  /// Once: what comes later is thrown away.
  void finish(std::exception_ptr failure, reply&& answer) noexcept override {
    if (is_over_.exchange(true)) return;
    outcome_.failure = std::move(failure);
    outcome_.answer = std::move(answer);
    const auto of = std::move(of_);
    of->one_ended();
  }

 private:
  std::atomic<bool> is_over_{false};
  call_outcome& outcome_;
  std::shared_ptr<gathering> of_;
};

gathering::gathering(std::vector<request> calls)
    : calls_(std::move(calls)), outcomes_(calls_.size()), left_(calls_.size() + 1) {}

gathering::~gathering() = default;

void gathering::start(backend& on, const call_options& options, completion done) {
  const auto self = shared_from_this();
  const auto exec = on.execution();
  done_ = std::move(done);
  members_.reserve(calls_.size());
  for (std::size_t i = 0; i < calls_.size(); ++i) {
    outcomes_[i].command = calls_[i].name;
    auto each = std::make_shared<member>(std::move(calls_[i]), outcomes_[i], self);
    members_.push_back(each);
    on.start(std::move(each), options);
  }
  if (options.stop.stop_possible()) {
    watch_.emplace(options.stop, [weak = weak_from_this()] {
      if (const auto alive = weak.lock()) alive->abandon(nullptr, nullptr);
    });
  }
  std::optional<std::exception_ptr> stop;
  {
    const std::lock_guard lock(mutex_);
    is_begun_ = true;
    stop = stop_;
  }
  if (stop) abandon(nullptr, *stop);
  if (left_.fetch_sub(1) == 1) {
    boost::asio::post(exec.completion_executor(), [self] { self->complete(); });
  }
}

void gathering::abandon(const call_ptr&, std::exception_ptr why) {
  {
    const std::lock_guard lock(mutex_);
    stop_ = why;
    if (!is_begun_) return;
  }
  for (const auto& each : members_) {
    const auto m = each.lock();
    const auto in = m ? m->in.lock() : nullptr;
    if (in) in->abandon(m, why);
  }
}

void gathering::give_up(const std::function<error(const std::string&, bool)>& why) {
  for (std::size_t i = 0; i < members_.size(); ++i) {
    const auto m = members_[i].lock();
    if (!m) continue;
    auto failure = std::make_exception_ptr(why(outcomes_[i].command, m->may_repeat));
    if (const auto in = m->in.lock()) in->abandon(m, failure);
    m->finish(std::move(failure), {});
  }
}

void gathering::one_ended() noexcept {
  if (left_.fetch_sub(1) == 1) complete();
}

void gathering::complete() {
  // Waits for a stop that is being heard of.
  watch_.reset();
  const auto done = std::exchange(done_, nullptr);
  done(std::move(outcomes_));
}

std::vector<call_outcome> run_each(backend& on, std::vector<request> calls,
                                   const call_options& options) {
  io_thread_mark::check_blocking_allowed("redis::client::call_each");
  if (calls.empty()) return {};
  const auto all = std::make_shared<gathering>(std::move(calls));
  const auto answer = std::make_shared<std::promise<std::vector<call_outcome>>>();
  auto waiting = answer->get_future();
  const auto until = deadline::after(options.timeout.value_or(on.timeout())).when();
  all->start(on, options, [answer](std::vector<call_outcome>&& outcomes) {
    answer->set_value(std::move(outcomes));
  });
  if (waiting.wait_until(until + grace) != std::future_status::ready) {
    all->give_up([&on](const std::string& command, bool may_repeat) {
      return held_up_error({command, on.name(), true, may_repeat});
    });
  }
  return waiting.get();
}

}  // namespace scalekit::redis::detail
