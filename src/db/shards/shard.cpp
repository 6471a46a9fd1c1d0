#include "scalekit/db/shard.hpp"

#include "db/shards/fence.hpp"

namespace scalekit::db {

bool is_moving(const error& e) noexcept {
  return detail::is_fence(e);
}

template <class Call>
write_result shard::routed(const call_options& options, detail::row_sink* rows, Call call) {
  detail::switch_attempts attempts(*set_, options.timeout);
  for (;;) {
    auto at = set_->place(key_);
    auto again = options;
    again.timeout = attempts.timeout();
    try {
      return call(at.client, again);
    } catch (const error& e) {
      attempts.wait_or_rethrow(e, at);
    }
    if (rows != nullptr) rows->restart();
  }
}

write_result shard::run(detail::access kind, const statement& query, const call_options& options,
                        detail::row_sink* rows) {
  return routed(options, rows,
                [&](db::client& c, const call_options& o) { return c.run(kind, query, o, rows); });
}

write_result shard::run_judged(const statement& query, const call_options& options,
                               detail::row_sink* rows) {
  return routed(options, rows,
                [&](db::client& c, const call_options& o) { return c.run_judged(query, o, rows); });
}

}  // namespace scalekit::db
