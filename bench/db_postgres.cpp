#include "harness.hpp"
#include "postgres/bulk.hpp"
#include "postgres/failover.hpp"
#include "postgres/load.hpp"
#include "postgres/pool.hpp"
#include "postgres/raw.hpp"
#include "postgres/server.hpp"

#include <cstddef>
#include <cstdio>
#include <memory>
#include <string>

namespace {

using namespace bench::postgres;

constexpr auto best_pgbench = "pgbench -S -M prepared -j 2, best of 8, 16, 32 connections";

}  // namespace

void bench::register_cases() {
  const auto s = std::make_shared<bench::postgres::server>();
  const auto pgbench = [s] { return s->best_pgbench(server::script::select, {8, 16, 32}); };
  const auto coroutines = [s](std::size_t n, loop where = loop::shared) {
    return [s, n, where] { return coroutine_reads(s->url(), n, where); };
  };

  add({.name = "pg.read.blocking1",
       .unit = "ops/s",
       .ours = [s] { return blocking_reads(s->url()); },
       .peer_name = "raw libpq, PQexecPrepared",
       .peer = [s] { return raw_blocking_reads(s->url()); },
       .least_ratio = 0.95,
       .runs = 15,
       .twice = true});
  add({.name = "pg.read.coro256",
       .unit = "ops/s",
       .ours = coroutines(256),
       .peer_name = best_pgbench,
       .peer = pgbench,
       .least_ratio = 3.6});
  add({.name = "pg.read.coro256.foreign",
       .unit = "ops/s",
       .ours = coroutines(256, loop::foreign),
       .peer_name = best_pgbench,
       .peer = pgbench,
       .least_ratio = 2.2});
  add({.name = "pg.read.coro256.pipeline",
       .unit = "ops/s",
       .ours = coroutines(256),
       .peer_name = "raw libpq pipelines, 4 connections x 64, one Sync per 64",
       .peer = [s] { return raw_pipelined_reads(s->url(), 4, 64); },
       .least_ratio = 0.9,
       .twice = true});
  add({.name = "pg.read.coro32",
       .unit = "ops/s",
       .ours = coroutines(32),
       .peer_name = best_pgbench,
       .peer = pgbench,
       .least_ratio = 1.8});
  add({.name = "pg.read.threads32",
       .unit = "ops/s",
       .ours = [s] { return blocking_reads(s->url(), 32); },
       .peer_name = "raw libpq, a connection a thread",
       .peer = [s] { return raw_blocking_reads(s->url(), 32); },
       .least_ratio = 1.5});
#ifdef SCALEKIT_BENCH_WITH_PQXX
  add({.name = "pg.read.libpqxx",
       .unit = "ops/s",
       .ours = [s] { return blocking_reads(s->url()); },
       .peer_name = "libpqxx, exec_prepared1",
       .peer = [s] { return pqxx_reads(s->url()); },
       .least_ratio = 1.0,
       .twice = true});
#else
  std::puts("pg.read.libpqxx              left out: built without libpqxx");
#endif
  add({.name = "pg.write.coro64",
       .unit = "ops/s",
       .ours = [s] { return coroutine_writes(s->url(), 64); },
       .peer_name = "pgbench with the same update, best of 8, 16, 32, 64 connections",
       .peer =
           [s] {
             return s->best_pgbench(server::script::update, {8, 16, 32, 64});
           },
       .least_ratio = 1.0,
       .twice = true});
  add({.name = "pg.acquire",
       .unit = "ops/s",
       .ours = [s] { return acquires(s->url()); },
       .least_value = 4e6});
  add({.name = "pg.fairness",
       .unit = "p99/p50",
       .direction = better::less,
       .ours = [s] { return unfairness(s->url()); },
       .least_value = 1.3});
  const auto bulk = std::make_shared<bulk_load>();
  add({.name = "pg.insert_many",
       .unit = "rows/s",
       .ours = [bulk] { return bulk->insert_many(); },
       .peer_name = "psql \\copy, CSV",
       .peer = [bulk] { return bulk->psql_copy(); },
       .least_ratio = 1.2,
       .runs = 5});
  add({.name = "pg.stream",
       .unit = "MiB",
       .direction = better::less,
       .ours = [bulk] { return bulk->stream_growth(); },
       .least_value = 32,
       .runs = 5});
  const auto failing = std::make_shared<failovers>();
  add({.name = "pg.failover.seconds",
       .unit = "s",
       .direction = better::less,
       .ours = [failing] { return failing->seconds(); },
       .least_value = 2,
       .runs = 5});
  add({.name = "pg.failover.lost",
       .unit = "writes",
       .direction = better::less,
       .ours = [failing] { return failing->lost(); },
       .least_value = 0,
       .runs = 5,
       .worst = true});
  const auto stale = std::make_shared<stale_reads>();
  add({.name = "pg.failover.stale",
       .unit = "reads",
       .direction = better::less,
       .ours = [stale] { return stale->count(); },
       .least_value = 0,
       .runs = 5,
       .worst = true});
}
