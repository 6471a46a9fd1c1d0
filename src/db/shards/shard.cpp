#include "scalekit/db/shard.hpp"

#include "db/shards/fence.hpp"

namespace scalekit::db {

bool is_moving(const error& e) noexcept {
  return detail::is_fence(e);
}

template <class Call>
write_result shard::routed(detail::access kind, const call_options& options, detail::row_sink* rows,
                           Call call) {
  detail::switch_attempts attempts(*set_, options.timeout);
  for (;;) {
    auto at = set_->place(key_);
    auto again = options;
    again.timeout = attempts.timeout();
    try {
      auto done = call(at.client, again);
      // What a read has found, or a write has not, may have been moved away beneath it.
      const bool may_be_wrong = kind == detail::access::read || done.rows_affected() == 0;
      if (!may_be_wrong || set_->was_there(at, key_)) return done;
    } catch (const error& e) {
      attempts.wait_or_rethrow(e, at);
    }
    if (rows == nullptr) continue;
    // Rows that were handed over cannot be taken back.
    if (!rows->can_restart()) set_->require_place(at, key_);
    rows->restart();
  }
}

write_result shard::run(detail::access kind, const statement& query, const call_options& options,
                        detail::row_sink* rows) {
  return routed(kind, options, rows,
                [&](db::client& c, const call_options& o) { return c.run(kind, query, o, rows); });
}

write_result shard::run(const batch& statements, const call_options& options,
                        std::source_location site) {
  // It is one transaction: where it could change a row, its keys were there to the end.
  try {
    return routed(detail::access::write, options, nullptr,
                  [&](db::client& c, const call_options& o) { return c.run(statements, o, site); });
  } catch (...) {
    // It may have found something where its keys were no more.
    detail::restart(*statements.members_);
    throw;
  }
}

write_result shard::run_judged(const statement& query, const call_options& options,
                               detail::row_sink* rows) {
  return routed(detail::access::write, options, rows,
                [&](db::client& c, const call_options& o) { return c.run_judged(query, o, rows); });
}

}  // namespace scalekit::db
