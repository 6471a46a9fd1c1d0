#include "redis/master_watch.hpp"

#include "redis/site.hpp"

#include <exception>
#include <utility>

namespace scalekit::redis::detail {

void master_watch::find(std::function<void(const master_answer&)> then) {
  const std::lock_guard serving(service_mutex_);
  if (!service_.search) return then({.failure = {.why = "the client was closed"}});
  {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(std::move(then));
  }
  try {
    service_.search();
  } catch (const std::exception& e) {
    answer(failed_search{.why = std::string("the sentinels cannot be asked: ") + e.what()});
  }
}

std::optional<std::uint64_t> master_watch::confirm(const master_answer& said) {
  std::optional<place> before;
  std::optional<master_view::confirmation> is;
  {
    const std::lock_guard lock(mutex_);
    before = view_.current();
    is = view_.confirmed(*said.where, said.term);
    term_.store(view_.term(), std::memory_order_release);
  }
  if (!is) return std::nullopt;
  if (is->is_failover) {
    const auto now = said.where->name();
    retire("the master is " + now + " now", true);
    of_.log(
        log_level::warning, "redis.failover",
        "the master of \"" + of_.params.service + "\" is " + now + " now; it was " + before->name(),
        *said.where);
  }
  return is->term;
}

void master_watch::doubt(const master_answer& said) {
  const std::lock_guard serving(service_mutex_);
  if (service_.doubt) service_.doubt(said.sentinel);
}

void master_watch::suspect(std::uint64_t term) {
  place at = of_.where;
  {
    const std::lock_guard lock(mutex_);
    if (!view_.suspected(term)) return;
    term_.store(view_.term(), std::memory_order_release);
    if (view_.current()) at = *view_.current();
  }
  // It answers: what it was asked it will have answered soon, and nothing is in doubt.
  retire("the server is a replica now", false);
  of_.log(log_level::warning, "redis.master_doubted", at.name() + " says that it is a replica", at);
}

bool master_watch::announce(const place& where, const place& sentinel) {
  {
    const std::lock_guard lock(mutex_);
    if (!view_.announced(where)) return false;
    term_.store(view_.term(), std::memory_order_release);
  }
  const auto why = "the sentinel " + sentinel.name() + " says that the master of \"" +
                   of_.params.service + "\" is " + where.name() + " now";
  // The old one may stand still.
  retire(why, true);
  of_.log(log_level::warning, "redis.master_doubted", why, where);
  return true;
}

void master_watch::retire(const std::string& why, bool at_once) {
  const std::lock_guard serving(service_mutex_);
  if (service_.retire) service_.retire(term(), why, at_once);
}

std::string master_watch::current() const {
  const std::lock_guard lock(mutex_);
  return view_.current() ? view_.current()->name() : std::string();
}

std::uint64_t master_watch::failovers() const {
  const std::lock_guard lock(mutex_);
  return view_.failovers();
}

void master_watch::serve(service by) {
  const bool is_end = !by.search;
  {
    const std::lock_guard serving(service_mutex_);
    service_ = std::move(by);
  }
  if (is_end) answer(failed_search{.why = "the client was closed"});
}

bool master_watch::is_awaited() const {
  const std::lock_guard lock(mutex_);
  return !waiting_.empty();
}

void master_watch::post(std::function<void()> task) {
  const std::lock_guard serving(service_mutex_);
  if (service_.post) service_.post(std::move(task));
}

void master_watch::answer(const found_master& found) {
  master_answer said{.where = found.where, .sentinel = found.sentinel};
  said.says = "the master of \"" + of_.params.service + "\" is " + found.where.name() +
              ", says the sentinel " + of_.sentinels[found.sentinel].name();
  if (!found.reservation.empty()) said.says += ", which has no quorum (" + found.reservation + ")";
  {
    const std::lock_guard lock(mutex_);
    view_.found(found.where);
    said.term = view_.term();
  }
  give_out(said);
}

void master_watch::answer(const failed_search& failure) {
  give_out({.failure = failure});
}

void master_watch::give_out(const master_answer& said) {
  std::vector<std::function<void(const master_answer&)>> waiting;
  {
    const std::lock_guard lock(mutex_);
    waiting.swap(waiting_);
  }
  for (const auto& each : waiting) each(said);
}

}  // namespace scalekit::redis::detail
