#include "db/batch_run.hpp"
#include "db/call_site.hpp"
#include "db/postgres/transaction.hpp"

#include <utility>

// The statements of a transaction.

namespace scalekit::db::postgres {

using detail::access;
using detail::returned;

write_result transaction::run(access kind, const statement& query, const call_options& options,
                              detail::row_sink* rows) {
  require_allowed(kind, options, query.site());
  call_member only{&query, backend_->entry_for(query, kind), rows};
  run(kind, {&only, 1}, options, query.site());
  return {only.got.rows_affected, 0, {}};
}

void transaction::run(const detail::batch_members& batch, const call_options& options,
                      const std::source_location& site) {
  const auto kind = detail::kind_of(batch);
  require_allowed(kind, options, site);
  auto members = backend_->members_of(batch);
  run(kind, members, options, site);
  note_results(members, batch);
}

void transaction::require_allowed(access kind, const call_options& options,
                                  const std::source_location& site) const {
  require_open("a statement");
  detail::throw_if_stopped(options.stop, site);
  detail::throw_if_stopped(stop_, site);
  detail::throw_if_stopped(also_stop_, site);
  if (read_only_ && kind == access::write) {
    throw error(errc::not_allowed, detail::describe(site) + ": a write in a read-only transaction");
  }
}

void transaction::run(access kind, std::span<call_member> members, const call_options& options,
                      const std::source_location& site) {
  auto call = detail::frame_of(options, backend_->params().statement_timeout);
  call.until = earlier(call.until, until_);
  call.stops = {&options.stop, &stop_, &also_stop_};
  if (!options.scope) call.scope = &scope_;

  auto shape = backend_->shape_of(kind);
  shape.in_transaction = true;
  shape.read_only = read_only_;
  shape.learn_xid = kind == access::write && xid_ == 0;
  statement_call sc(members, *lent_, shape);
  auto how = returned::healthy;
  reading_ = true;
  try {
    backend_->converse(*at_, *lent_, sc, call, site, how);
  } catch (...) {
    reading_ = false;
    const auto failure = std::current_exception();
    backend_->track(members, with_wait(call), &sc, failure);
    note_failure(how, failure);
    throw;
  }
  reading_ = false;
  backend_->track(members, with_wait(call), &sc, nullptr);
  if (sc.xid() != 0) xid_ = sc.xid();
  wrote_ |= kind == access::write;
}

access transaction::kind_of(const statement& query) {
  // Where it runs is settled; what matters is what is to be undone.
  return backend_->is_read_by_text(query) ? access::read : access::write;
}

}  // namespace scalekit::db::postgres
