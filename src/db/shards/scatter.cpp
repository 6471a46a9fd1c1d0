#include "db/call_site.hpp"
#include "scalekit/db/detail/scatter_call.hpp"

#include <algorithm>

namespace scalekit::db::detail {

void check_scatter(const shard_map& map, unsigned fan_out, const std::optional<std::size_t>& limit,
                   bool has_key, bool has_session) {
  if (fan_out < 1 || fan_out > 1024) {
    throw error(errc::invalid_argument, "scatter_options.fan_out is " + std::to_string(fan_out) +
                                            "; its range is 1 to 1024");
  }
  constexpr std::size_t most = std::size_t{1} << 31;
  if (limit && (*limit < 1 || *limit > most)) {
    throw error(errc::invalid_argument, "scatter_options.limit is " + std::to_string(*limit) +
                                            "; its range is 1 to 2147483648");
  }
  if (has_session) {
    throw error(errc::invalid_argument,
                "scatter_options.call.session: a session is of one database, not of all shards");
  }
  if (map.move() && !has_key) {
    throw error(errc::not_allowed,
                "shards: while move '" + map.move()->id + "' is under way, rows lie on '" +
                    map.move()->from + "' and on '" + map.move()->to +
                    "'; a read of all shards needs scatter_options.key to tell which count");
  }
}

error scatter_failure(const std::vector<shard_failure>& failed, std::size_t asked) {
  const auto& first = failed.front();
  std::string list;
  for (const auto& each : failed) {
    if (&each != &first && each.why.code() == errc::cancelled) continue;
    list += (list.empty() ? "'" : ", '") + each.shard + "'";
  }
  auto diag = first.why.diag();
  diag.client_message = "a read of " + std::to_string(asked) + " shards failed on " + list +
                        (diag.client_message.empty() ? "" : ": " + diag.client_message);
  return error(first.why.code(), std::move(diag));
}

void throw_wrong_order(const statement& query, const std::string& shard) {
  throw error(errc::invalid_statement,
              describe(query.site()) + ": the rows of shard '" + shard +
                  "' are not in the order of scatter_options.order_by; the statement needs an "
                  "order by that means the same, for texts with collate \"C\" on PostgreSQL");
}

void throw_outlived_map(const statement& query) {
  throw error(errc::conflict, describe(query.site()) +
                                  ": the lease of the map that it went by was over "
                                  "before all shards had answered");
}

}  // namespace scalekit::db::detail
