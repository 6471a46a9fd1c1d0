#include "scalekit/redis/subscriber.hpp"

#include "core/leave_to_parent.hpp"
#include "core/require.hpp"
#include "redis/blocking_line.hpp"
#include "redis/login.hpp"
#include "redis/master_search.hpp"
#include "redis/resolve.hpp"
#include "redis/sentinel_words.hpp"
#include "redis/site.hpp"
#include "redis/subscription.hpp"
#include "redis/wire_text.hpp"
#include "scalekit/core/fork_guard.hpp"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <optional>
#include <pthread.h>
#include <stdexcept>
#include <thread>
#include <utility>
#include <variant>

namespace scalekit::redis {

using std::chrono::steady_clock;
using namespace std::chrono_literals;

namespace {

const std::string silence = "no answer in time";

/// What a server refuses now it will mostly refuse for as long as nobody changes that.
constexpr auto pause_after_refusal = 1min;

/// A sentinel is asked so often whether it is still the master, in intervals of check_interval. A
/// master that is demoted hears of it from them, and ends the connection; one that they cannot
/// reach, but we can, does not.
constexpr int master_check_intervals = 5;
/// Nothing else is heard meanwhile.
constexpr auto master_check_patience = 100ms;

client_params as_client(const subscriber_params& p) {
  return {.connect_timeout = p.connect_timeout,
          .reconnect = p.reconnect,
          .max_reply_bytes = p.max_message_bytes,
          .log = p.log};
}

void validate(const subscriber_params& p) {
  using scalekit::detail::require, scalekit::detail::require_range;
  const bool has_channels = !p.channels.empty() || !p.patterns.empty();
  require(has_channels || !p.tracked_prefixes.empty(), "subscriber_params.channels", "empty",
          "at least one, or a pattern, or a tracked prefix");
  require(!has_channels || p.on_message, "subscriber_params.on_message", "empty", "a function");
  require(p.tracked_prefixes.empty() || p.on_invalidated, "subscriber_params.on_invalidated",
          "empty", "a function");
  for (const auto& one : p.tracked_prefixes) {
    for (const auto& other : p.tracked_prefixes) {
      require(&one == &other || !one.starts_with(other), "subscriber_params.tracked_prefixes",
              '"' + one + "\" begins with \"" + other + '"', "none begins with another");
    }
  }
  require_range("subscriber_params.connect_timeout", p.connect_timeout, 1ms, 10min);
  require_range("subscriber_params.check_interval", p.check_interval, 100ms, 1h);
  require_range("subscriber_params.max_message_bytes", p.max_message_bytes, std::size_t{1} << 10,
                std::size_t{16} << 30);
  scalekit::validate(p.reconnect, "subscriber_params.reconnect");
}

}  // namespace

struct subscriber::impl : std::enable_shared_from_this<impl> {
  impl(detail::target to, subscriber_params p, execution exec)
      : params(std::move(p)), at(std::move(to), std::move(exec)) {
    if (!at.sentinels.empty()) search.emplace(at.params.service, at.sentinels);
  }

  using line = detail::blocking_line;

  /// While it lives close() interrupts the line.
  class turn {
   public:
    turn(impl& of, line& on) : of_(of), before_(of.current) {
      const std::lock_guard lock(of_.mutex);
      of_.current = &on;
      if (of_.is_over) on.interrupt();
    }
    ~turn() {
      const std::lock_guard lock(of_.mutex);
      of_.current = before_;
      if (of_.is_over && before_ != nullptr) before_->interrupt();
    }
    turn(const turn&) = delete;
    turn& operator=(const turn&) = delete;

   private:
    impl& of_;
    line* const before_;
  };

  void run();
  /// Until the connection ends; says why.
  std::string listen();
  /// Where the server is, or the master that sentinels know of. Nothing: `why` says why.
  std::optional<detail::place> find_server(time_point until, std::string& why);
  detail::sentinel_word ask(const detail::place& sentinel, time_point until);
  bool is_master_elsewhere(const detail::place& server);
  detail::resolved resolve(const detail::place& server, time_point until);
  /// Takes what comes next. Empty: it is well, and goes on.
  std::string hear(line& on, detail::subscription& subscribed, time_point until);
  void begin_listening();
  void tell(std::vector<reply>& messages);
  template <class Callback, class... Args>
  void call(const Callback& callback, const Args&... args) noexcept;

  const subscriber_params params;
  detail::site at;
  const fork_guard guard;

  std::mutex mutex;
  std::condition_variable changed;
  bool is_over = false;
  line* current = nullptr;
  std::atomic<bool> is_listening{false};

  std::atomic<std::thread::id> runner{};
  std::mutex join_mutex;
  std::thread thread;

  // Of the thread alone.
  std::optional<detail::master_search> search;
  /// Who has said where the master is; and who was asked last whether it still is.
  std::size_t believed = 0;
  std::size_t checked_with = 0;
  std::uint64_t failures = 0;
  bool is_refused = false;
  std::string last_reason;
  std::string last_refusal;
  time_point last_heard{};
  /// When the last byte came while it listened; time_point{}: it never did.
  time_point lost_at{};
};

void subscriber::impl::run() {
  runner.store(std::this_thread::get_id());
  for (;;) {
    {
      const std::lock_guard lock(mutex);
      if (is_over) return;
    }
    std::string why;
    try {
      why = listen();
    } catch (const std::exception& e) {
      why = e.what();
    }
    if (is_listening.exchange(false)) {
      lost_at = last_heard;
      last_reason = why;
    }
    std::unique_lock lock(mutex);
    if (is_over) return;
    const auto pause = is_refused ? pause_after_refusal
                                  : backoff_delay(at.params.reconnect, ++failures, at.random);
    lock.unlock();
    // A refusal is told once.
    if (!is_refused || last_refusal != why) {
      at.log(log_level::warning, "redis.subscriber.lost", why);
    }
    if (is_refused) last_refusal = why;
    lock.lock();
    changed.wait_for(lock, pause, [this] { return is_over; });
  }
}

std::string subscriber::impl::listen() {
  const auto until = steady_clock::now() + at.params.connect_timeout;
  is_refused = false;
  std::string unfound;
  const auto server = find_server(until, unfound);
  if (!server) return unfound;
  const auto found = resolve(*server, until);
  if (found.endpoints.empty()) return found.failure;
  const auto& to = found.endpoints[failures % found.endpoints.size()];
  line on(at);
  const turn mine(*this, on);
  if (on.open(*server, to, until) != line::end::done) {
    if (search) search->doubt(believed);
    return on.why();
  }
  detail::subscription subscribed(params);
  if (on.send(subscribed.bytes(), until) != line::end::done) return on.why();
  while (!subscribed.is_complete()) {
    if (auto why = hear(on, subscribed, until); !why.empty()) return why;
  }
  bool is_asked = false;
  const auto master_check = master_check_intervals * params.check_interval;
  auto next_master_check = steady_clock::now() + master_check;
  for (;;) {
    if (search && steady_clock::now() >= next_master_check) {
      if (is_master_elsewhere(*server)) return "another server is the master";
      next_master_check = steady_clock::now() + master_check;
    }
    const auto before = on.last_heard;
    const auto patience = steady_clock::now() + params.check_interval;
    auto why = hear(on, subscribed, patience);
    last_heard = on.last_heard;
    // Of a long message a part may have come.
    if (why.empty() || on.last_heard != before) is_asked = false;
    if (why.empty()) continue;
    if (why != silence || is_asked) return why == silence ? "no answer to a PING" : why;
    if (on.last_heard != before) continue;
    std::string ping;
    detail::append_command(ping, {"PING"});
    if (on.send(ping, patience + params.check_interval) != line::end::done) return on.why();
    is_asked = true;
  }
}

std::string subscriber::impl::hear(line& on, detail::subscription& subscribed, time_point until) {
  reply next;
  const auto how = on.receive(next, until);
  if (how == line::end::late) return silence;
  if (how != line::end::done) return on.why();
  switch (subscribed.take(std::move(next))) {
    case detail::subscription::heard::refused:
      is_refused = true;
      return subscribed.why();
    case detail::subscription::heard::more:
      if (on.send(subscribed.bytes(), until) != line::end::done) return on.why();
      break;
    case detail::subscription::heard::complete:
      last_heard = on.last_heard;
      begin_listening();
      tell(subscribed.messages());
      break;
    case detail::subscription::heard::message:
      tell(subscribed.messages());
      break;
    case detail::subscription::heard::nothing:
      break;
  }
  const std::lock_guard lock(mutex);
  return is_over ? "closed" : "";
}

void subscriber::impl::begin_listening() {
  failures = 0;
  const auto now = steady_clock::now();
  const bool is_first = lost_at == time_point{};
  const subscription_gap gap{
      .is_first = is_first, .duration = is_first ? 0ns : now - lost_at, .reason = last_reason};
  is_listening.store(true);
  at.log(log_level::info, "redis.subscriber.connected", "all subscriptions hold");
  if (params.on_gap) call(params.on_gap, gap);
}

void subscriber::impl::tell(std::vector<reply>& messages) {
  for (const auto& each : messages) {
    if (const auto news = detail::subscription::changes_in(each)) {
      call(params.on_invalidated,
           invalidation{.keys = news->keys, .is_everything = news->is_everything});
    } else if (params.on_message) {
      call(params.on_message, *detail::subscription::message_in(each));
    }
  }
  messages.clear();
}

template <class Callback, class... Args>
void subscriber::impl::call(const Callback& callback, const Args&... args) noexcept {
  {
    const std::lock_guard lock(mutex);
    if (is_over) return;
  }
  try {
    callback(args...);
  } catch (const std::exception& e) {
    at.log(log_level::error, "redis.subscriber.callback_threw", e.what());
  } catch (...) {
    at.log(log_level::error, "redis.subscriber.callback_threw", "not a std::exception");
  }
}

std::optional<detail::place> subscriber::impl::find_server(time_point until, std::string& why) {
  if (!search) return at.where;
  detail::master_search::step next = search->begin();
  while (const auto* sentinel = std::get_if<std::size_t>(&next)) {
    const auto answer_by = std::min(until, steady_clock::now() + at.sentinel_patience());
    next = search->take(ask(at.sentinels[*sentinel], answer_by));
  }
  if (const auto* failed = std::get_if<detail::failed_search>(&next)) {
    why = failed->why;
    return std::nullopt;
  }
  const auto& found = std::get<detail::found_master>(next);
  believed = found.sentinel;
  return found.where;
}

detail::sentinel_word subscriber::impl::ask(const detail::place& sentinel, time_point until) {
  const auto found = resolve(sentinel, until);
  if (found.endpoints.empty()) return {.why = found.failure};
  line on(at);
  const turn mine(*this, on);
  reply address, quorum;
  const auto& to = found.endpoints.front();
  const bool is_answered =
      on.open(sentinel, to, until, detail::login::at_sentinel(at.params)) == line::end::done &&
      on.send(detail::sentinel_question(at.params.service), until) == line::end::done &&
      on.receive(address, until) == line::end::done && on.receive(quorum, until) == line::end::done;
  return is_answered ? detail::read_word(address, quorum) : detail::sentinel_word{.why = on.why()};
}

/// Asks the next sentinel. One that cannot be asked, or has no quorum, says nothing against it.
bool subscriber::impl::is_master_elsewhere(const detail::place& server) {
  checked_with = (checked_with + 1) % at.sentinels.size();
  try {
    const auto said = ask(at.sentinels[checked_with], steady_clock::now() + master_check_patience);
    return said.master && said.has_quorum && *said.master != server;
  } catch (const error&) {
    return false;  // no thread resolves its name
  }
}

detail::resolved subscriber::impl::resolve(const detail::place& server, time_point until) {
  if (auto known = detail::resolve_at_once(server)) return *std::move(known);
  auto found = std::make_shared<std::optional<detail::resolved>>();
  at.exec.post_work([self = shared_from_this(), found, server] {
    auto answer = detail::resolve_name(server);
    const std::lock_guard lock(self->mutex);
    *found = std::move(answer);
    self->changed.notify_all();
  });
  std::unique_lock lock(mutex);
  changed.wait_until(lock, until, [&] { return is_over || *found; });
  if (!*found) return {{}, "its name was not resolved in time"};
  return **found;
}

subscriber::subscriber(std::string_view url, subscriber_params params, execution exec) {
  validate(params);
  auto to = detail::target_from_url(url, as_client(params));
  impl_ = std::make_shared<impl>(std::move(to), std::move(params), std::move(exec));
  impl_->thread = std::thread([self = impl_] { self->run(); });
  pthread_setname_np(impl_->thread.native_handle(), "sk-redis-sub");
}

subscriber::~subscriber() {
  if (impl_->guard.is_forked()) {
    scalekit::detail::leave_to_parent(impl_);
    return;
  }
  close();
  if (impl_->thread.joinable()) impl_->thread.detach();
}

void subscriber::close() noexcept {
  if (impl_->guard.is_forked()) return;
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->is_over = true;
    if (impl_->current != nullptr) impl_->current->interrupt();
  }
  impl_->changed.notify_all();
  // A callback's own call: nothing follows it.
  if (impl_->runner.load() == std::this_thread::get_id()) return;
  const std::lock_guard lock(impl_->join_mutex);
  if (impl_->thread.joinable()) impl_->thread.join();
}

bool subscriber::is_listening() const noexcept {
  return impl_->is_listening.load();
}

}  // namespace scalekit::redis
