#include "slow/statement_entry.hpp"

#include <algorithm>
#include <numeric>

namespace scalekit::slow::detail {
namespace {

constexpr auto relaxed = std::memory_order_relaxed;

/// A locked instruction costs more than the branch, and most calls do not wait or fetch.
template <class Atomic, class Number>
void add_unless_zero(Atomic& to, Number n) noexcept {
  if (n != 0) to.fetch_add(n, relaxed);
}

}  // namespace

void statement_entry::add(const counted_call& call) noexcept {
  by_outcome_[static_cast<std::size_t>(call.how)].fetch_add(1, relaxed);
  add_unless_zero(rows_, call.rows);
  add_unless_zero(wait_ns_, call.times.wait.count());
  add_unless_zero(execute_ns_, call.times.execute.count());
  add_unless_zero(fetch_ns_, call.times.fetch.count());
  durations_.record(call.total);
  const auto finished = call.times.finished.time_since_epoch().count();
  if (first_seen_.load(relaxed) == 0) {
    std::int64_t never = 0;
    first_seen_.compare_exchange_strong(never, finished, relaxed);
  }
  last_seen_.store(finished, relaxed);
  count_site(call.where);
}

void statement_entry::count_site(const std::source_location& where) noexcept {
  if (where.line() == 0) return;
  for (std::size_t i = 0; i < max_sites; ++i) {
    auto* site = sites_[i].load(std::memory_order_acquire);
    if (site == nullptr) site = add_site(i, where);
    if (site == nullptr) break;
    if (site->file_address == where.file_name() && site->where.line == where.line()) {
      site->calls.fetch_add(1, relaxed);
      return;
    }
  }
  elsewhere_.fetch_add(1, relaxed);
}

/// What is at `from` now: the new place, or another thread's. Null without memory.
call_site_entry* statement_entry::add_site(std::size_t from,
                                           const std::source_location& where) noexcept {
  try {
    std::lock_guard lock(sites_mutex_);
    if (auto* other = sites_[from].load(relaxed)) return other;
    auto site = std::make_unique<call_site_entry>();
    site->file_address = where.file_name();
    site->where = {where.file_name(), where.line(), where.function_name()};
    sites_[from].store(site.get(), std::memory_order_release);
    owned_sites_[from] = std::move(site);
    return owned_sites_[from].get();
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

std::uint64_t statement_entry::counts::calls() const noexcept {
  return std::accumulate(by_outcome.begin(), by_outcome.end(), std::uint64_t{0});
}

std::uint64_t statement_entry::counts::failed() const noexcept {
  return calls() - by_outcome[static_cast<std::size_t>(outcome::ok)];
}

statement_entry::counts statement_entry::grown() const noexcept {
  counts c;
  for (std::size_t i = 0; i < by_outcome_.size(); ++i)
    c.by_outcome[i] = by_outcome_[i].load(relaxed);
  c.rows = rows_.load(relaxed);
  c.elsewhere = elsewhere_.load(relaxed);
  c.wait = std::chrono::nanoseconds(wait_ns_.load(relaxed));
  c.execute = std::chrono::nanoseconds(execute_ns_.load(relaxed));
  c.fetch = std::chrono::nanoseconds(fetch_ns_.load(relaxed));
  return c;
}

statement_entry::counts statement_entry::current() const noexcept {
  auto c = grown();
  for (std::size_t i = 0; i < c.by_outcome.size(); ++i) c.by_outcome[i] -= before_.by_outcome[i];
  c.rows -= before_.rows;
  c.elsewhere -= before_.elsewhere;
  c.wait -= before_.wait;
  c.execute -= before_.execute;
  c.fetch -= before_.fetch;
  return c;
}

statement_report statement_entry::report(const moment& now) const {
  const auto c = current();
  const auto d = durations();
  statement_report r;
  r.fingerprint = fingerprint_;
  r.text = text_;
  r.calls = c.calls();
  r.errors = c.by_outcome[static_cast<std::size_t>(outcome::error)];
  r.timeouts = c.by_outcome[static_cast<std::size_t>(outcome::timeout)];
  r.cancelled = c.by_outcome[static_cast<std::size_t>(outcome::cancelled)];
  r.rows = c.rows;
  r.total = c.total();
  r.wait = c.wait;
  r.execute = c.execute;
  r.fetch = c.fetch;
  r.p50 = d.p50();
  r.p95 = d.p95();
  r.p99 = d.p99();
  r.max = d.max();
  if (const auto first = first_seen_.load(relaxed)) {
    r.first_seen = now.to_wall(time_point{time_point::duration{first}});
    r.last_seen = now.to_wall(time_point{time_point::duration{last_seen_.load(relaxed)}});
  }
  for (const auto& slot : sites_) {
    const auto* site = slot.load(std::memory_order_acquire);
    if (site == nullptr) break;
    const auto calls = site->calls.load(relaxed) - site->calls_before;
    if (calls != 0) r.call_sites.push_back({site->where, calls});
  }
  std::stable_sort(r.call_sites.begin(), r.call_sites.end(),
                   [](const auto& a, const auto& b) { return a.calls > b.calls; });
  r.calls_elsewhere = c.elsewhere;
  return r;
}

void statement_entry::reset() {
  durations_before_ = durations_.snapshot();
  before_ = grown();
  first_seen_.store(0, relaxed);
  for (auto& slot : sites_) {
    auto* site = slot.load(std::memory_order_acquire);
    if (site == nullptr) break;
    site->calls_before = site->calls.load(relaxed);
  }
}

}  // namespace scalekit::slow::detail
