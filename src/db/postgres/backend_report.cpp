#include "db/bind_hash.hpp"
#include "db/postgres/backend.hpp"
#include "scalekit/slow/fingerprint.hpp"
#include "scalekit/slow/tracker.hpp"

#include <chrono>
#include <cstddef>
#include <optional>
#include <utility>

// What the driver tells of the statements that it has run.

namespace scalekit::db::postgres {

using detail::call_frame;
using std::chrono::steady_clock;

void backend::track(std::span<const call_member> members, const call_frame& call,
                    const statement_call* done, const std::exception_ptr& failure) noexcept {
  const auto now = steady_clock::now();
  const auto answered = done != nullptr ? done->answered().value_or(now) : now;
  if (done != nullptr && done->was_healed()) proofs_->clear();
  const auto failed_at = done != nullptr ? done->failed_at() : std::nullopt;
  for (std::size_t i = 0; i < members.size(); ++i) {
    const auto& m = members[i];
    if (done != nullptr) {
      auto& hit = m.was_prepared ? counters_.hits : counters_.misses;
      hit.fetch_add(1, std::memory_order_relaxed);
    }
    // Those before the one that failed have not.
    const bool is_fine = failed_at && i < *failed_at;
    report(*m.query, *m.entry, call, m.got, answered, is_fine ? nullptr : failure, members.size());
    if (failed_at == i) break;
  }
}

void backend::report(const statement& query, const statement_entry& entry, const call_frame& call,
                     const reply& got, time_point answered, const std::exception_ptr& failure,
                     std::size_t shared_by) noexcept {
  counters_.statements.fetch_add(1, std::memory_order_relaxed);
  if (failure) counters_.failed.fetch_add(1, std::memory_order_relaxed);
  if (!settings_.params.tracker) return;
  const auto now = steady_clock::now();
  const auto started = call.acquired.value_or(call.begun);
  const auto rows = got.rows > 0 ? got.rows : static_cast<std::uint64_t>(got.rows_affected);
  const bool grouped = call.scope != nullptr && *call.scope;
  const auto share = [&](steady_clock::duration whole) {
    return whole / static_cast<steady_clock::rep>(shared_by);
  };
  settings_.params.tracker->record(
      entry.tracked,
      {share(started - call.begun), share(answered - started), share(now - answered), now}, rows,
      detail::outcome_of(failure), query.site(), grouped ? *call.scope : request_scope{},
      grouped ? detail::bind_hash(query.parameters()) : 0);
}

namespace {

constexpr std::size_t refusals_told = 20;

lane_statistics describe(const detail::proof_book& proofs) {
  const auto now = steady_clock::now();
  const auto known = proofs.stats(now);
  lane_statistics out{.statements = known.statements,
                      .proven = known.proven,
                      .slow = known.slow,
                      .refused = known.refused,
                      .unproven = known.unproven,
                      .proofs = known.proofs_started};
  for (auto& [text, reason] : proofs.refusals(refusals_told, now)) {
    out.refusals.push_back(
        {slow::normalize(text, slow::dialect::postgres).text, std::move(reason)});
  }
  return out;
}

}  // namespace

client_statistics backend::statistics() const {
  client_statistics out;
  out.statements = counters_.statements;
  out.failed_statements = counters_.failed;
  out.transactions_committed = counters_.committed;
  out.transactions_rolled_back = counters_.rolled_back;
  out.statement_cache_hits = counters_.hits;
  out.statement_cache_misses = counters_.misses;
  out.shared_reads = counters_.shared;
  out.lanes = describe(*proofs_);
  router_.describe(out);
  return out;
}

}  // namespace scalekit::db::postgres
