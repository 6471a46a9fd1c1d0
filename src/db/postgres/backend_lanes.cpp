#include "db/content_size.hpp"
#include "db/postgres/backend.hpp"
#include "db/postgres/lane_read.hpp"
#include "db/postgres/prover.hpp"
#include "db/postgres/reactor_port.hpp"
#include "db/postgres/sqlstate.hpp"

#include <chrono>
#include <utility>

// Reads that share connections.

namespace scalekit::db::postgres {

using detail::access;
using detail::call_frame;
using std::chrono::steady_clock;

namespace {
constexpr std::chrono::seconds time_for_a_proof{10};
/// Others would wait while they are written.
constexpr std::size_t most_parameter_bytes = std::size_t{64} << 10;
}  // namespace

bool backend::may_share(const host_ptr& at, const statement& query,
                        const statement_entry_ptr& entry, time_point now) {
  if (settings_.params.lanes == 0 || entry->says.kind != detail::statement_kind::read) return false;
  if (detail::content_size(query.parameters()) > most_parameter_bytes) return false;
  if (at->pool->is_pooled() != false) return false;
  const auto admitted = proofs_->admit(entry->key, now);
  if (admitted.prove) start_proof(at, entry, now);
  return admitted.share;
}

void backend::start_proof(const host_ptr& at, const statement_entry_ptr& entry,
                          time_point started) {
  // It outlives the client, if need be, and the host's loop: so it keeps neither, nor the lanes.
  at->pool->async_take({.site = std::source_location::current(), .reads = true}, started,
                       started + time_for_a_proof, {}, {},
                       [proofs = proofs_, pool = at->pool, entry, started](std::exception_ptr e,
                                                                           lent_connection lent) {
                         if (e) return proofs->abandoned(entry->text, started, steady_clock::now());
                         lent->port.reset();
                         // It blocks: not on the loop.
                         auto work = [proofs, entry, started,
                                      c = std::make_shared<lent_connection>(std::move(lent))] {
                           const auto verdict =
                               prove(**c, entry, steady_clock::now() + time_for_a_proof);
                           const auto now = steady_clock::now();
                           if (!verdict) {
                             proofs->abandoned(entry->text, started, now);
                           } else if (verdict->proven) {
                             proofs->proven(entry->text, started, now);
                           } else {
                             proofs->refused(entry->text, verdict->reason, started, now);
                           }
                         };
                         try {
                           pool->post_work(std::move(work));
                         } catch (...) {
                           proofs->abandoned(entry->text, started, steady_clock::now());
                         }
                       });
}

void backend::note_time(const statement_entry& entry, const statement_call& done) {
  if (settings_.params.lanes == 0 || !done.answered() || !done.sent_at()) return;
  proofs_->ran(entry.key, *done.answered() - *done.sent_at());
}

write_result backend::run_in_lane(const destination& to, const statement& query,
                                  const statement_entry_ptr& entry, detail::row_sink* rows,
                                  call_frame& call) {
  const auto m = std::make_shared<blocking_lane_read>(query, entry, call);
  m->expect(to.of);
  auto& at = *to.at;
  const auto& through = at.blocking_lanes.pick([this] { return io_->own_executor(); });
  std::exception_ptr failure;
  try {
    m->run(through, *this);
  } catch (...) {
    failure = std::current_exception();
  }
  if (m->unfit != misfit::none) {
    router_.note_misfit(at, m->unfit, steady_clock::now());
    throw misrouted{to_error(failure)};
  }
  finish_lane_read(*m, at, query, call, rows, failure);
  if (failure) std::rethrow_exception(failure);
  return {};
}

void backend::finish_lane_read(lane_member& m, const host& at, const statement& query,
                               call_frame& call, detail::row_sink* rows,
                               std::exception_ptr& failure) noexcept {
  reply got;
  const auto answered = failure ? steady_clock::now() : m.answered;
  call.acquired = m.was_sent() ? m.first_sent_at : answered;
  // Where it was abandoned the lane may still write to it.
  const bool is_ours = !failure;
  if (is_ours) {
    try {
      if (m.end != exchange::ending::done) {
        throw error_of_read(m, query.site(), at.pool->name());
      }
      got = deliver(m, rows, settings_.params.max_value_bytes);
    } catch (...) {
      failure = detail::with_place(std::current_exception(), query.site());
    }
  }
  counters_.shared.fetch_add(1, std::memory_order_relaxed);
  router_.failed(at, access::read, failure, nullptr);
  report(query, *m.entry, call, got, answered, failure);
  if (!is_ours) return;
  if (m.end == exchange::ending::done) proofs_->ran(m.entry->key, m.took);
  if (m.healed) proofs_->clear();
  if (m.end == exchange::ending::failed && is_wrong_role(sqlstate_of(m))) {
    proofs_->disproved(m.entry->text, "it tried to write", answered);
  }
}

}  // namespace scalekit::db::postgres
