#include "db/postgres/host_watch.hpp"

#include "db/postgres/server_log.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace scalekit::db::postgres {

using detail::host_id;
using std::chrono::steady_clock;

namespace {

/// How long a host may take to answer the monitor: short enough that the next question comes before
/// the last answer is out of date.
std::chrono::nanoseconds patience(const topology_params& params) {
  using namespace std::chrono_literals;
  return std::max<std::chrono::nanoseconds>(
      params.monitor_interval,
      std::min<std::chrono::nanoseconds>(500ms, params.evidence_lease / 2));
}

}  // namespace

host_watch::host_watch(const settings& s, const std::vector<host_ptr>& hosts)
    : params_(s.params.topology), log_(s.params.log), board_(s.params.topology) {
  for (std::size_t i = 0; i < hosts.size(); ++i) {
    hosts_.push_back(std::make_unique<watched>(hosts[i]->pool, s.servers[i], stop_.get_token()));
  }
}

/// Under the mutex.
void host_watch::start(time_point now) {
  if (started_ || closed_) return;
  started_ = true;
  for (host_id id = 0; id < hosts_.size(); ++id) {
    auto& w = *hosts_[id];
    board_.add(w.where, now);
    w.timetable.emplace([weak = weak_from_this(), id] {
      if (auto self = weak.lock()) self->tend(id);
    });
    plan(id, now);
  }
}

void host_watch::plan(host_id id, time_point now) {
  auto& w = *hosts_[id];
  w.timetable->plan(std::min(board_.probe_at(id, now), w.ask_at));
}

void host_watch::tend(host_id id) {
  auto& w = *hosts_[id];
  lock held(mutex_);
  if (closed_) return;
  const auto now = steady_clock::now();
  if (board_.probe_at(id, now) <= now) {
    w.ask_at = time_point::max();
    board_.probe_began(id, now);
    held.unlock();
    look(w, id, now);
  } else if (w.ask_at <= now) {
    w.ask_at = time_point::max();
    held.unlock();
    ask_place(w, id, now);
  } else {
    return plan(id, now);
  }
}

void host_watch::look(watched& w, host_id id, time_point now) {
  const auto until = now + patience(params_);
  auto got = w.asks.look(until);
  std::optional<std::vector<detail::timeline_switch>> history;
  if (got.answer && !got.answer->in_recovery && w.history_tried != got.answer->timeline) {
    // Once a timeline: most often it may not be read, and then never.
    w.history_tried = got.answer->timeline;
    history = w.asks.history(until).answer;
  }
  // Before anybody is sent there: who comes must not be turned away for what failed before.
  if (got.answer && is_cleared(w)) w.pool->reachable();
  lock held(mutex_);
  const auto heard = steady_clock::now();
  if (got.answer) {
    if (history) board_.learn_history(got.answer->timeline, std::move(*history));
    board_.sample(id, *got.answer, heard);
  } else if (got.against) {
    w.doubted = true;
    board_.error_seen(id, *got.against, std::move(got.why), heard);
  }
  const auto role = got.answer ? std::optional(!got.answer->in_recovery) : std::nullopt;
  const auto before = w.is_primary;
  if (role) w.is_primary = role;
  settle(held, heard);
  if (role && before && *before != *role) {
    log_(log_level::warning, "db.host.role_changed",
         detail::to_string(w.where) + (*role ? " is primary now" : " is a replica now"),
         {{"server.address", w.where.host},
          {"server.port", std::to_string(w.where.port)},
          {"db.host.role", *role ? "primary" : "replica"}});
  }
  if (w.asks.is_blind()) note_blind(w);
}

bool host_watch::is_cleared(watched& w) {
  const lock held(mutex_);
  return std::exchange(w.doubted, false);
}

void host_watch::ask_place(watched& w, host_id id, time_point now) {
  auto got = w.asks.place(now + patience(params_));
  lock held(mutex_);
  const auto heard = steady_clock::now();
  if (got.answer) {
    board_.replayed(id, *got.answer, now);
  } else if (got.against) {
    board_.error_seen(id, *got.against, std::move(got.why), heard);
  }
  settle(held, heard);
}

void host_watch::note_blind(const watched& w) {
  {
    lock held(mutex_);
    if (std::exchange(blind_reported_, true)) return;
  }
  log_of_server(log_, log_level::warning, "db.host.timeline_unknown",
                detail::to_string(w.where) +
                    " does not tell on what timeline it is, so reads that must see a write use the "
                    "primary: grant pg_monitor to this user",
                w.where);
}

void host_watch::settle(lock& held, time_point now) {
  const auto route = board_.writer(now);
  const bool is_new = route && route.generation != generation_;
  const auto old = writer_;
  if (is_new) {
    generation_ = route.generation;
    writer_ = route.host;
  }
  const bool is_split = route.why == detail::refusal::split_brain;
  const bool tell_split = is_split && !std::exchange(split_reported_, is_split);
  if (!is_split) split_reported_ = false;
  ++events_;
  auto woken = std::exchange(waiting_, {});
  if (!closed_) {
    for (host_id id = 0; id < hosts_.size(); ++id) plan(id, now);
  }
  held.unlock();

  changed_.notify_all();
  for (auto& each : woken) std::exchange(each, nullptr)();
  if (is_new && old) {
    hosts_[*old]->pool->evict_all(route.generation);
    const auto& to = hosts_[route.host]->where;
    log_of_server(log_, log_level::warning, "db.failover",
                  "writes go to " + detail::to_string(to) + " now; before, to " +
                      detail::to_string(hosts_[*old]->where),
                  to);
  }
  if (tell_split) log_(log_level::error, "db.split_brain", route.explanation);
}

detail::write_route host_watch::writer(std::uint64_t& seen) {
  lock held(mutex_);
  const auto now = steady_clock::now();
  start(now);
  seen = events_;
  return board_.writer(now);
}

detail::read_route host_watch::reader(const detail::read_request& request, std::uint64_t& seen) {
  lock held(mutex_);
  const auto now = steady_clock::now();
  start(now);
  seen = events_;
  return board_.reader(request, now, random_);
}

void host_watch::ask(host_id id, time_point when) {
  lock held(mutex_);
  if (closed_) return;
  auto& w = *hosts_[id];
  w.ask_at = std::min(w.ask_at, when);
  w.timetable->plan(w.ask_at);
}

void host_watch::wait(std::uint64_t seen, time_point until) {
  lock held(mutex_);
  changed_.wait_until(held, until, [&] { return events_ != seen || closed_; });
}

void host_watch::on_event(std::uint64_t seen, std::function<void()> then) {
  {
    lock held(mutex_);
    if (events_ == seen && !closed_) {
      waiting_.push_back(std::move(then));
      return;
    }
  }
  then();
}

void host_watch::error_seen(host_id id, detail::host_error what, std::string why) {
  lock held(mutex_);
  if (!started_ || closed_) return;
  const auto now = steady_clock::now();
  hosts_[id]->doubted = true;
  board_.error_seen(id, what, std::move(why), now);
  settle(held, now);
}

void host_watch::parameter_status(host_id id, const detail::host_parameters& seen) {
  lock held(mutex_);
  if (!started_ || closed_) return;
  const auto now = steady_clock::now();
  board_.parameter_status(id, seen, now);
  settle(held, now);
}

void host_watch::connected_anew(host_id id, time_point when) {
  lock held(mutex_);
  board_.connected_anew(id, when);
}

void host_watch::call_began(host_id id) {
  lock held(mutex_);
  board_.call_began(id);
}

void host_watch::call_ended(host_id id, std::optional<std::chrono::nanoseconds> took) {
  lock held(mutex_);
  board_.call_ended(id, took);
}

void host_watch::close() {
  stop_.request_stop();
  std::vector<std::function<void()>> woken;
  {
    lock held(mutex_);
    closed_ = true;
    woken = std::exchange(waiting_, {});
  }
  changed_.notify_all();
  for (auto& each : woken) std::exchange(each, nullptr)();
}

void host_watch::join() {
  for (auto& w : hosts_) w->timetable.reset();
}

bool host_watch::is_closed() const {
  lock held(mutex_);
  return closed_;
}

host_watch::host_state host_watch::state_of(host_id id) const {
  lock held(mutex_);
  host_state out;
  out.is_primary = hosts_[id]->is_primary;
  out.lag = board_.lag(id);
  out.text = board_.has(id) ? board_.describe(id, steady_clock::now()) : "not heard of yet";
  return out;
}

}  // namespace scalekit::db::postgres
