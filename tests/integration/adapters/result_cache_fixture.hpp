#pragma once

#include "scalekit/adapters/change_triggers.hpp"
#include "scalekit/adapters/result_cache.hpp"
#include "support/throws_errc.hpp"
#include "support/wait_until.hpp"

#include <boost/describe.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace result_cache_test {

namespace adapters = scalekit::adapters;
namespace cache = scalekit::cache;
namespace db = scalekit::db;
using adapters::cached;
using adapters::result_cache;
using db::consistency;
using db::sql;
using scalekit::errc;
using support::wait_until;
using namespace std::chrono_literals;

/// What the tests read: the n of row `id` of a table "counted".
inline const cached of_counted{cache::ttl::query, {"counted"}};

inline db::statement n_of(std::int64_t id) {
  return sql("select n from counted where id = $1", id);
}

inline db::statement add_one_to(std::int64_t id) {
  return sql("update counted set n = n + 1 where id = $1", id);
}

constexpr const char* schema =
    "create table counted (id bigint primary key, n bigint not null);"
    "insert into counted values (1, 0), (2, 0);";

inline std::int64_t n(result_cache& of, std::int64_t id, const db::call_options& options = {}) {
  return of.read_one<std::int64_t>(of_counted, n_of(id), options);
}

/// Until reads are found in the cache.
inline bool wait_until_it_serves(result_cache& it) {
  return wait_until([&] {
    const auto before = it.statistics().hits;
    n(it, 1);
    n(it, 1);
    return it.statistics().hits > before;
  });
}

}  // namespace result_cache_test
