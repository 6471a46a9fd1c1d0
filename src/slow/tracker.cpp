#include "scalekit/slow/tracker.hpp"

#include "core/require.hpp"
#include "scalekit/core/fork_guard.hpp"
#include "scalekit/slow/fingerprint.hpp"
#include "scalekit/slow/tracker_settings.hpp"
#include "slow/events.hpp"
#include "slow/findings.hpp"
#include "slow/hash.hpp"
#include "slow/log_budget.hpp"
#include "slow/scope_table.hpp"
#include "slow/statement_entry.hpp"
#include "slow/text_index.hpp"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>

namespace scalekit::slow {
namespace {

using detail::statement_entry;
using std::chrono::nanoseconds;

tracker_params checked(tracker_params p) {
  tracker_settings().validate(p);
  scalekit::detail::require(p.time != nullptr, "tracker_params.time", "null", "a clock");
  return p;
}

std::uint64_t group_key(const statement_entry* statement, const std::source_location& where,
                        std::uint64_t scope) noexcept {
  const auto place = mix(reinterpret_cast<std::uintptr_t>(where.file_name()) ^ 0xa0761d6478bd642f,
                         where.line() ^ 0xe7037ed1a0b428db);
  return mix(reinterpret_cast<std::uintptr_t>(statement) ^ place, scope ^ 0x9e3779b97f4a7c15);
}

constexpr const char* overflow_text = "(statements beyond max_statements)";

}  // namespace

struct tracker::state {
  explicit state(tracker_params p)
      : params(checked(std::move(p))),
        texts(params.max_texts),
        requests(params.n_plus_one_window),
        budget(params.slow_log_per_second) {}

  statement_entry* admit(std::string_view sql, dialect d);
  void log_slow(const statement_entry& entry, const counted_call& call, const request_scope& scope);
  void count_request(const statement_entry& entry, const counted_call& call,
                     const request_scope& scope, std::uint64_t bind_hash);
  std::vector<statement_entry*> entries() const;
  moment now() const noexcept { return {params.time->now(), params.time->wall_now()}; }

  const tracker_params params;
  const fork_guard guard;
  text_index texts;
  scope_table requests;
  findings found;
  statement_entry overflow{0, overflow_text};

  mutable std::mutex statements_mutex;
  std::unordered_map<std::uint64_t, std::unique_ptr<statement_entry>> statements;
  std::atomic<bool> overflow_told{false};

  std::mutex budget_mutex;
  log_budget budget;
  std::atomic<std::uint64_t> slow{0};
  std::atomic<std::uint64_t> slow_suppressed{0};

  // Held by reports and reset(), before statements_mutex: see statement_entry.
  mutable std::mutex reports_mutex;
};

tracker::tracker(tracker_params params) : state_(std::make_unique<state>(std::move(params))) {}
tracker::~tracker() = default;

statement_ref tracker::statement(std::string_view sql, dialect d) noexcept {
  if (state_->guard.is_forked()) return {};
  if (auto* known = state_->texts.find(sql, d)) return statement_ref(known);
  try {
    return statement_ref(state_->admit(sql, d));
  } catch (const std::bad_alloc&) {
    return statement_ref(&state_->overflow);
  }
}

statement_entry* tracker::state::admit(std::string_view sql, dialect d) {
  auto normalized = normalize(sql, d);
  statement_entry* entry = &overflow;
  {
    std::lock_guard lock(statements_mutex);
    if (auto known = statements.find(normalized.fingerprint); known != statements.end()) {
      entry = known->second.get();
    } else if (statements.size() < params.max_statements) {
      auto made =
          std::make_unique<statement_entry>(normalized.fingerprint, std::move(normalized.text));
      entry = made.get();
      statements.emplace(normalized.fingerprint, std::move(made));
    }
  }
  texts.offer(sql, d, entry);
  if (entry == &overflow && !overflow_told.exchange(true)) {
    report_overflow(params.log, params.max_statements);
  }
  return entry;
}

void tracker::record(statement_ref s, const call_times& times, std::uint64_t rows, outcome how,
                     const std::source_location& call_site, const request_scope& scope,
                     std::uint64_t bind_hash) noexcept {
  auto* entry = s.entry_;
  if (entry == nullptr || state_->guard.is_forked()) return;
  counted_call call{{.wait = std::max(times.wait, nanoseconds::zero()),
                     .execute = std::max(times.execute, nanoseconds::zero()),
                     .fetch = std::max(times.fetch, nanoseconds::zero()),
                     .finished = times.finished},
                    nanoseconds::zero(),
                    rows,
                    how,
                    call_site};
  call.total = call.times.wait + call.times.execute + call.times.fetch;
  if (call.times.finished == time_point{}) call.times.finished = state_->params.time->now();
  entry->add(call);
  try {
    if (call.total >= state_->params.slow_threshold) state_->log_slow(*entry, call, scope);
    if (scope) state_->count_request(*entry, call, scope, bind_hash);
  } catch (const std::bad_alloc&) {
    // The call is counted; only its log record or finding is lost.
  }
}

void tracker::state::log_slow(const statement_entry& entry, const counted_call& call,
                              const request_scope& scope) {
  slow.fetch_add(1, std::memory_order_relaxed);
  if (!params.log.wants(log_level::warning)) return;
  log_budget::verdict verdict;
  {
    std::lock_guard lock(budget_mutex);
    verdict = budget.ask(call.times.finished);
  }
  if (verdict.admitted) {
    report_slow(params.log, entry, call, scope, params.slow_threshold, verdict.suppressed);
  } else {
    slow_suppressed.fetch_add(1, std::memory_order_relaxed);
  }
}

void tracker::state::count_request(const statement_entry& entry, const counted_call& call,
                                   const request_scope& scope, std::uint64_t bind_hash) {
  const auto threshold = params.n_plus_one_threshold;
  if (threshold == 0) return;
  const auto group =
      requests.count(group_key(&entry, call.where, scope.id()), bind_hash, call.times.finished);
  if (group.calls < threshold) return;
  const bool is_new = found.note(entry, call.where, scope.name(), group, group.calls == threshold,
                                 call.times.finished);
  if (is_new) report_n_plus_one(params.log, entry, call.where, scope, group);
}

std::vector<statement_entry*> tracker::state::entries() const {
  std::lock_guard lock(statements_mutex);
  std::vector<statement_entry*> all;
  all.reserve(statements.size());
  for (const auto& [fingerprint, entry] : statements) all.push_back(entry.get());
  return all;
}

std::vector<statement_report> tracker::top(std::size_t n, top_by order) const {
  state_->guard.check("slow::tracker");
  std::lock_guard lock(state_->reports_mutex);
  std::vector<std::pair<std::uint64_t, statement_entry*>> ranked;
  auto all = state_->entries();
  all.push_back(&state_->overflow);
  for (auto* entry : all) {
    const auto counts = entry->current();
    if (counts.calls() == 0) continue;
    std::uint64_t rank = 0;
    switch (order) {
      case top_by::total:
        rank = static_cast<std::uint64_t>(counts.total().count());
        break;
      case top_by::p95:
        rank = static_cast<std::uint64_t>(entry->durations().p95().count());
        break;
      case top_by::calls:
        rank = counts.calls();
        break;
      case top_by::errors:
        rank = counts.failed();
        break;
    }
    ranked.emplace_back(rank, entry);
  }
  n = std::min(n, ranked.size());
  std::partial_sort(ranked.begin(), ranked.begin() + static_cast<std::ptrdiff_t>(n), ranked.end(),
                    [](const auto& a, const auto& b) {
                      return a.first != b.first ? a.first > b.first
                                                : a.second->fingerprint() < b.second->fingerprint();
                    });
  std::vector<statement_report> reports;
  reports.reserve(n);
  const auto now = state_->now();
  for (std::size_t i = 0; i < n; ++i) reports.push_back(ranked[i].second->report(now));
  return reports;
}

std::optional<statement_report> tracker::find(std::uint64_t fingerprint) const {
  state_->guard.check("slow::tracker");
  std::lock_guard lock(state_->reports_mutex);
  const statement_entry* entry = nullptr;
  {
    std::lock_guard statements_lock(state_->statements_mutex);
    auto known = state_->statements.find(fingerprint);
    if (known == state_->statements.end()) return std::nullopt;
    entry = known->second.get();
  }
  return entry->report(state_->now());
}

statement_report tracker::overflow() const {
  state_->guard.check("slow::tracker");
  std::lock_guard lock(state_->reports_mutex);
  return state_->overflow.report(state_->now());
}

std::vector<n_plus_one_report> tracker::n_plus_one_findings() const {
  state_->guard.check("slow::tracker");
  return state_->found.list(state_->now());
}

tracker_totals tracker::totals() const {
  state_->guard.check("slow::tracker");
  std::lock_guard lock(state_->reports_mutex);
  tracker_totals t;
  auto add = [&t](const statement_entry& entry) {
    const auto counts = entry.current();
    t.calls += counts.calls();
    t.failed += counts.failed();
    t.total += counts.total();
  };
  const auto all = state_->entries();
  for (const auto* entry : all) add(*entry);
  add(state_->overflow);
  t.slow = state_->slow.load(std::memory_order_relaxed);
  t.slow_suppressed = state_->slow_suppressed.load(std::memory_order_relaxed);
  t.statements = all.size();
  t.texts = state_->texts.size();
  t.overflow_calls = state_->overflow.current().calls();
  t.n_plus_one = state_->found.size();
  t.n_plus_one_dropped = state_->found.dropped();
  return t;
}

void tracker::reset() {
  state_->guard.check("slow::tracker");
  std::lock_guard lock(state_->reports_mutex);
  for (auto* entry : state_->entries()) entry->reset();
  state_->overflow.reset();
  state_->found.clear();
  state_->slow.store(0, std::memory_order_relaxed);
  state_->slow_suppressed.store(0, std::memory_order_relaxed);
}

}  // namespace scalekit::slow
