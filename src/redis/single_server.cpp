#include "redis/single_server.hpp"

#include "core/leave_to_parent.hpp"
#include "redis/master_watch.hpp"
#include "redis/waiting_call.hpp"
#include "scalekit/core/deadline.hpp"
#include "scalekit/core/settings_text.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <exception>
#include <functional>
#include <optional>
#include <stop_token>
#include <thread>
#include <utility>

namespace scalekit::redis::detail {

using std::chrono::steady_clock;
using namespace std::chrono_literals;

namespace {

/// How long a thread waits beyond its deadline for the lane, which has the same deadline and knows
/// more: unless the host's loop is held up, that is at once.
constexpr auto lane_grace = 200ms;

call_fate unsent(const request& what, const site& at) {
  return {what.name, at.name};
}

}  // namespace

single_server::single_server(target to, scalekit::execution exec)
    : site_(std::make_shared<site>(std::move(to), std::move(exec))),
      io_(site_->exec, "sk-redis-io"),
      direct_(site_) {
  if (site_->master) serve_master();
}

single_server::~single_server() {
  if (fork_guard_.is_forked()) {
    // In the child an event loop's registrations are shared with the parent: left alone.
    scalekit::detail::leave_to_parent(scout_);
    scalekit::detail::leave_to_parent(shared_);
    scalekit::detail::leave_to_parent(large_);
    scalekit::detail::leave_to_parent(blocking_);
    return;
  }
  leave_master();
  // Only answers that nobody waits for can be under way.
  for (const auto& each : lanes()) {
    if (each->load() > 0) each->close();
    each->leave_loop();
  }
}

void single_server::serve_master() {
  site_->master->serve({.search =
                            [this] {
                              if (!scout_)
                                scout_ = std::make_shared<master_scout>(site_, io_.own_executor());
                              scout_->search();
                            },
                        .post =
                            [this](std::function<void()> task) {
                              boost::asio::post(io_.own_executor(), std::move(task));
                            },
                        .doubt =
                            [this](std::size_t sentinel) {
                              if (scout_) scout_->doubt(sentinel);
                            },
                        .retire =
                            [this](std::uint64_t term, const std::string& why, bool at_once) {
                              direct_.retire(term, at_once);
                              for (const auto& each : lanes()) each->retire(term, why, at_once);
                            }});
}

void single_server::leave_master() {
  if (!site_->master) return;
  site_->master->serve({});
  if (scout_) scout_->close();
}

time_point single_server::until(const call_options& options, time_point now) const noexcept {
  return deadline::after(options.timeout.value_or(site_->params.timeout), now).when();
}

void single_server::check(const request& what, const call_options& options) const {
  site_->counted.calls.add();
  if (closing_.load(std::memory_order_relaxed)) {
    throw site_->count(closed_error(unsent(what, *site_)));
  }
  if (what.size() > site_->params.max_request_bytes) {
    throw site_->count(
        error(make_error_code(errc::too_large),
              {what.name + ": a command of " + format_size(what.size()) +
                   "; max_request_bytes is " + format_size(site_->params.max_request_bytes),
               {},
               {},
               site_->name}));
  }
  if (options.stop.stop_requested()) throw site_->count(cancelled_error(unsent(what, *site_)));
}

bool single_server::is_large(const request& what, const call_options& options) const noexcept {
  return options.large_reply || what.size() > site_->params.large_bytes;
}

reply single_server::run(request& what, const call_options& options) {
  fork_guard_.check("redis::client");
  io_thread_mark::check_blocking_allowed("redis::client::call");
  check(what, options);
  const auto now = steady_clock::now();
  const blocking_frame frame{until(options, now), what.is_read || options.idempotent, options.stop};
  if (frame.until <= now) {
    throw site_->count(late_error(unsent(what, *site_), {.is_connected = true}, now, now));
  }
  if (!what.blocks && !is_large(what, options)) {
    if (auto answer = direct_.run(what, frame)) return std::move(*answer);
  }
  return run_in_lane(what, options, frame);
}

reply single_server::run_in_lane(request& what, const call_options& options,
                                 const blocking_frame& frame) {
  const std::string name = what.name;
  const auto c = std::make_shared<waiting_call>(std::move(what));
  what.name = name;
  c->since = steady_clock::now();
  c->until = frame.until;
  c->may_repeat = frame.may_repeat;
  submit(c, options);
  // The caller is told at once, whatever the lane's loop does; the lane hears of it when it can.
  auto give_up = [&](const error& why) {
    auto failure = std::make_exception_ptr(why);
    if (const auto in = c->in.lock()) in->abandon(c, failure);
    c->finish(std::move(failure), {});
  };
  std::optional<std::stop_callback<std::function<void()>>> watch;
  if (frame.stop.stop_possible()) {
    watch.emplace(frame.stop, [&] { give_up(cancelled_error({name, site_->name})); });
  }
  if (!c->wait_until(frame.until + lane_grace)) {
    give_up(held_up_error({name, site_->name, true, frame.may_repeat}));
  }
  watch.reset();
  return c->take();
}

void single_server::start(call_ptr c, const call_options& options) {
  fork_guard_.check("redis::client");
  try {
    check(c->what, options);
    const auto now = steady_clock::now();
    c->since = now;
    c->until = until(options, now);
    c->may_repeat = c->what.is_read || options.idempotent;
    submit(c, options);
  } catch (...) {
    // finish() lets go of what it completes by.
    boost::asio::post(site_->exec.completion_executor(),
                      [c = std::move(c), e = std::current_exception()] { c->finish(e, {}); });
  }
}

std::shared_ptr<lane> single_server::make_lane(lane_use use) {
  return std::make_shared<lane>(site_, io_.executor(), use);
}

void single_server::submit(const call_ptr& c, const call_options& options) {
  try {
    if (c->what.blocks) {
      const std::lock_guard lock(lanes_mutex_);
      free_blocking_lane(c->what).submit(c);
    } else if (is_large(c->what, options)) {
      large_lane().submit(c);
    } else {
      shared_lane().submit(c);
    }
  } catch (const error& e) {
    throw site_->count(e);
  }
}

lane& single_server::shared_lane() {
  std::call_once(shared_made_, [this] {
    auto made = make_lane(lane_use::shared);
    const std::lock_guard lock(lanes_mutex_);
    shared_ = std::move(made);
  });
  return *shared_;
}

lane& single_server::large_lane() {
  const std::lock_guard lock(lanes_mutex_);
  if (!large_) large_ = make_lane(lane_use::shared);
  return *large_;
}

lane& single_server::free_blocking_lane(const request& what) {
  for (const auto& each : blocking_) {
    if (each->load() == 0) return *each;
  }
  if (blocking_.size() < site_->params.max_blocking) {
    return *blocking_.emplace_back(make_lane(lane_use::exclusive));
  }
  throw shed_error(unsent(what, *site_),
                   "all " + std::to_string(blocking_.size()) +
                       " connections for commands that wait in the server are in use "
                       "(max_blocking)");
}

std::vector<std::shared_ptr<lane>> single_server::lanes() const {
  const std::lock_guard lock(lanes_mutex_);
  auto all = blocking_;
  if (shared_) all.push_back(shared_);
  if (large_) all.push_back(large_);
  return all;
}

bool single_server::is_quiet() const {
  return direct_.busy() == 0 &&
         std::ranges::all_of(lanes(), [](const auto& each) { return each->load() == 0; });
}

void single_server::close(std::chrono::nanoseconds timeout) {
  fork_guard_.check("redis::client");
  io_thread_mark::check_blocking_allowed("redis::client::close");
  if (closing_.exchange(true)) return;
  const auto end = deadline::after(timeout).when();
  for (auto pause = 1ms; !is_quiet() && steady_clock::now() < end;
       pause = std::min(2 * pause, 20ms)) {
    std::this_thread::sleep_for(pause);
  }
  direct_.close();
  for (const auto& each : lanes()) each->close();
  leave_master();
}

client_statistics single_server::statistics() const {
  client_statistics s;
  const auto& c = site_->counted;
  s.server = site_->name;
  if (site_->master) {
    s.master = site_->master->current();
    s.failovers = site_->master->failovers();
  }
  {
    const std::lock_guard lock(lanes_mutex_);
    if (shared_) shared_->add_to(s.shared);
    if (large_) large_->add_to(s.large);
    for (const auto& each : blocking_) each->add_to(s.blocking);
  }
  s.direct = direct_.open();
  s.direct_busy = direct_.busy();
  c.tell_calls(s);
  s.direct_calls = c.direct_calls.value();
  s.repeated = c.repeated.value();
  s.scripts_sent = c.scripts_sent.value();
  s.dials = c.dials.value();
  s.dial_failures = c.dial_failures.value();
  s.connections_lost = c.lost.value();
  s.given_up = c.given_up.value();
  s.writes = c.writes.value();
  s.bytes_sent = c.sent.value();
  s.bytes_received = c.received.value();
  return s;
}

}  // namespace scalekit::redis::detail
