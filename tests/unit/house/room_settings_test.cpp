#include "scalekit/cache/store_settings.hpp"
#include "scalekit/core/settings_file.hpp"
#include "scalekit/db/client_settings.hpp"
#include "scalekit/limit/rule_settings.hpp"
#include "scalekit/queue/queue_settings.hpp"
#include "scalekit/slow/tracker_settings.hpp"
#ifdef SCALEKIT_WITH_REDIS
#include "scalekit/redis/client_settings.hpp"
#endif

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

// Every room's settings, from one file.

using namespace scalekit;
using namespace std::chrono_literals;

namespace {

struct all_params {
  cache::store_params cache = {};
  db::client_params db = {};
  limit::rule login = {.name = "login", .by = {"user"}, .limit = 5};
  queue::queue_params queue = {};
  slow::tracker_params slow = {};
  queue::worker_params worker = {};
  settings_origins origins = {};
};

all_params from_file(std::string_view text) {
  all_params all;
  auto file = settings_file::parse(text, "shop.json");
  file.apply("cache", cache::store_settings(), all.cache, all.origins);
  file.apply("db", db::client_settings(), all.db, all.origins);
  file.apply("login_limit", limit::rule_settings(), all.login, all.origins);
  file.apply("queue", queue::queue_settings(), all.queue, all.origins);
  file.apply("slow", slow::tracker_settings(), all.slow, all.origins);
  file.apply("worker", queue::worker_settings(), all.worker, all.origins);
  file.require_all_used();
  return all;
}

std::string refusal(std::string_view text) {
  try {
    from_file(text);
  } catch (const std::invalid_argument& e) {
    return e.what();
  }
  return "accepted";
}

}  // namespace

TEST_CASE("the defaults of every room are legal") {
  CHECK_NOTHROW(cache::store_settings().validate({}));
  CHECK_NOTHROW(db::client_settings().validate({}));
  CHECK_NOTHROW(limit::rule_settings().validate({.limit = 1}));  // it has no default
  CHECK_NOTHROW(queue::queue_settings().validate({}));
  CHECK_NOTHROW(queue::worker_settings().validate({}));
  CHECK_NOTHROW(slow::tracker_settings().validate({}));
}

TEST_CASE("one file sets every room, each in a section of its own") {
  const auto all = from_file(R"({
    "cache": {
      "memory": { "max_bytes": "128MiB", "shards": 8 },
      "file": { "directory": "/var/cache/shop", "max_bytes": "4GiB", "fsync": "data",
                "failures_to_pause": 5, "pause": "2s", "max_quarantined": 0 },
      "max_value_bytes": "1MiB"
    },
    "db": { "statement_timeout": "250ms", "readers": 8, "pool": { "max": 40 }, "region": "eu",
            "hosts": ["10.0.0.1", "10.0.0.2:5433:role=reports,region=eu"] },
    "login_limit": { "limit": 20, "per": "10s", "burst": 30, "cost": 2, "max_keys": 4096 },
    "queue": { "table_prefix": "shop_", "max_attempts": 7, "max_payload_bytes": "64KiB",
               "high_lead": "1min", "low_lag": "1h", "strict_priority": true,
               "call_timeout": "2s" },
    "slow": { "slow_threshold": "20ms", "slow_log_per_second": 100, "max_statements": 200,
              "max_texts": 800, "n_plus_one_threshold": 0, "n_plus_one_window": "30s" },
    "worker": { "concurrency": 16, "retry": { "base": "1s", "cap": "10min" },
                "attempt_timeout": "90s", "max_crashes": 2, "heartbeat_interval": "1s",
                "stale_after": "5s", "max_batch": 64, "max_claim_bytes": "1MiB",
                "max_prefetch_age": "500ms", "poll_least": "10ms", "poll_most": "250ms",
                "stop_timeout": "30s" }
  })");

  CHECK(all.cache.memory.max_bytes == 128u << 20);
  CHECK(all.cache.memory.shards == 8);
  CHECK(all.cache.file.directory == "/var/cache/shop");
  CHECK(all.cache.file.max_bytes == std::uint64_t{4} << 30);
  CHECK(all.cache.file.fsync == cache::fsync_policy::data);
  CHECK(all.cache.file.failures_to_pause == 5);
  CHECK(all.cache.file.pause == 2s);
  CHECK(all.cache.file.max_quarantined == 0);
  CHECK(all.cache.max_value_bytes == 1u << 20);
  CHECK(all.db.statement_timeout == 250ms);
  CHECK(all.db.sqlite.readers == 8);
  CHECK(all.db.pool.max == 40);
  CHECK(all.db.topology.region == "eu");
  CHECK(all.db.topology.hosts ==
        std::vector<std::string>{"10.0.0.1", "10.0.0.2:5433:role=reports,region=eu"});
  CHECK(all.login.limit == 20);
  CHECK(all.login.per == 10s);
  CHECK(all.login.burst == 30);
  CHECK(all.login.cost == 2);
  CHECK(all.login.max_keys == 4096);
  CHECK(all.login.by.size() == 1);
  CHECK(all.queue.table_prefix == "shop_");
  CHECK(all.queue.max_attempts == 7);
  CHECK(all.queue.max_payload_bytes == 64u << 10);
  CHECK(all.queue.high_lead == 1min);
  CHECK(all.queue.low_lag == 1h);
  CHECK(all.queue.strict_priority);
  CHECK(all.queue.call_timeout == 2s);
  CHECK(all.slow.slow_threshold == 20ms);
  CHECK(all.slow.slow_log_per_second == 100);
  CHECK(all.slow.max_statements == 200);
  CHECK(all.slow.max_texts == 800);
  CHECK(all.slow.n_plus_one_threshold == 0);
  CHECK(all.slow.n_plus_one_window == 30s);
  CHECK(all.worker.concurrency == 16);
  CHECK(all.worker.retry.base == 1s);
  CHECK(all.worker.retry.cap == 10min);
  CHECK(all.worker.attempt_timeout == 90s);
  CHECK(all.worker.max_crashes == 2);
  CHECK(all.worker.heartbeat_interval == 1s);
  CHECK(all.worker.stale_after == 5s);
  CHECK(all.worker.max_batch == 64);
  CHECK(all.worker.max_claim_bytes == 1u << 20);
  CHECK(all.worker.max_prefetch_age == 500ms);
  CHECK(all.worker.poll_least == 10ms);
  CHECK(all.worker.poll_most == 250ms);
  CHECK(all.worker.stop_timeout == 30s);
}

TEST_CASE("what a file may not say is told with its place, its value and what is legal") {
  struct row {
    std::string_view file;
    std::string_view text;
  };
  const std::vector<row> rows{
      {R"({"cache": {"memory": {"max_bytes": "4KiB"}}})",
       "shop.json at /cache/memory/max_bytes: memory.max_bytes is \"4KiB\"; legal: 0 (no memory "
       "tier), 64 KiB to 1 TiB"},
      {R"({"cache": {"file": {"fsync": "always"}}})",
       "shop.json at /cache/file/fsync: file.fsync is \"always\"; legal: none, data"},
      {R"({"db": {"pool": {"max": 0}}})",
       "shop.json at /db/pool/max: pool.max is \"0\"; legal: 1 to 10000"},
      {R"({"db": {"hosts": ["10.0.0.1", "10.0.0.2:70000"]}})",
       "shop.json at /db/hosts/1: hosts is \"10.0.0.2:70000\"; legal: host[:port][:name=value,...] "
       "with IPv6 as [::1] and ports 1 to 65535, each place once"},
      {R"({"db": {"hosts": ["a", "a:5432"]}})",
       "shop.json at /db/hosts: hosts is \"a;a:5432\"; legal: host[:port][:name=value,...] "
       "with IPv6 as [::1] and ports 1 to 65535, each place once"},
      {R"({"login_limit": {"limit": 0}})",
       "shop.json at /login_limit/limit: limit is \"0\"; legal: 1 to 1000000000"},
      {R"({"login_limit": {"burst": 1000000001}})",
       "shop.json at /login_limit/burst: burst is \"1000000001\"; legal: 0 (as `limit`), 1 to "
       "1000000000"},
      {R"({"queue": {"max_attempts": 1001}})",
       "shop.json at /queue/max_attempts: max_attempts is \"1001\"; legal: 1 to 1000"},
      {R"({"slow": {"n_plus_one_threshold": 1}})",
       "shop.json at /slow/n_plus_one_threshold: n_plus_one_threshold is \"1\"; legal: 0 (off), 2 "
       "to 1000000"},
      {R"({"worker": {"attempt_timeout": "1ms"}})",
       "shop.json at /worker/attempt_timeout: attempt_timeout is \"1ms\"; legal: 10 ms to 1 d"},
      {R"({"worker": {"concurency": 4}})",
       "shop.json at /worker/concurency: unknown setting \"concurency\" of worker_params; did you "
       "mean concurrency?"},
      {R"({"cahe": {}})",
       "shop.json at /cahe: nothing here has settings of that name; did you mean cache?"},
  };

  for (const auto& [file, text] : rows) CHECK(refusal(file) == text);
}

#ifdef SCALEKIT_WITH_REDIS
TEST_CASE("redis has its section too") {
  CHECK_NOTHROW(redis::client_settings().validate({}));
  redis::client_params params;
  settings_origins origins;
  auto file = settings_file::parse(
      R"({"redis": { "timeout": "250ms", "max_reply_bytes": "1MiB", "reconnect": { "cap": "5s" } }})",
      "shop.json");

  file.apply("redis", redis::client_settings(), params, origins);

  file.require_all_used();
  CHECK(params.timeout == 250ms);
  CHECK(params.max_reply_bytes == 1u << 20);
  CHECK(params.reconnect.cap == 5s);
}
#endif
