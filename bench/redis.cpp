#include "harness.hpp"
#include "redis/load.hpp"
#include "redis/server.hpp"

#include <memory>

void bench::register_cases() {
  using namespace bench::redis;
  const auto s = std::make_shared<bench::redis::server>();
  const auto coroutines = [s] { return coroutine_gets(s->url(), 256); };

  add({.name = "redis.get.blocking1",
       .unit = "ops/s",
       .ours = [s] { return blocking_gets(s->url()); },
       .peer_name = "raw hiredis, redisCommandArgv",
       .peer = [s] { return raw_blocking_gets(s->port()); },
       .least_ratio = 0.95,
       .runs = 15,
       .twice = true});
  add({.name = "redis.get.coro256",
       .unit = "ops/s",
       .ours = coroutines,
       .peer_name = "raw hiredis, pipelined by 64",
       .peer = [s] { return raw_pipelined_gets(s->port(), 64); },
       .least_ratio = 1.0,
       .twice = true});
  add({.name = "redis.get.coro256.bench",
       .unit = "ops/s",
       .ours = coroutines,
       .peer_name = "redis-benchmark -c 50 -P 64",
       .peer = [s] { return s->redis_benchmark(50, 64); },
       .least_ratio = 0.5});
}
