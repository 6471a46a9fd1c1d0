#include "scalekit/core/error.hpp"
#include "scalekit/redis.hpp"
#include "support/redis/cluster.hpp"

#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace redis = scalekit::redis;

namespace {

void smallest(const std::string& url) {
  //[smallest
  auto cache = redis::client::open(url);  // "redis+cluster://10.0.0.9,10.0.0.10:7000"
  cache.call<scalekit::done>(redis::command("SET", "product:42", "a sofa"));
  std::vector<std::string> keys{"product:42", "product:43", "product:44"};
  auto some = cache.call<std::vector<std::optional<std::string>>>(redis::command("MGET", keys));
  //]
  if (some.size() != 3 || some[0] != "a sofa") std::abort();
}

void together(redis::client& cache) {
  //[together
  auto [items, total] = cache.call<std::tuple<std::int64_t, std::int64_t>>(
      redis::transaction(redis::command("RPUSH", "{cart:7}items", "sofa"),
                         redis::command("INCRBY", "{cart:7}total", 499)));
  //]
  if (items != 1 || total != 499) std::abort();
}

void each(redis::client& cache) {
  //[each
  std::vector<redis::command> visits;
  for (int id = 0; id < 1000; ++id) visits.emplace_back("INCR", "visits:" + std::to_string(id));
  std::int64_t total = 0;
  for (const auto& one : cache.call_each<std::int64_t>(std::move(visits))) {
    if (one) total += *one;  // else one.error() says why this one failed
  }
  //]
  if (total != 1000) std::abort();
}

void replicas(redis::client& cache) {
  //[replicas
  auto page = cache.call<std::optional<std::string>>(redis::command("GET", "page:home"),
                                                     {.read_from = redis::read_from::replica});
  //]
  if (page) std::abort();
}

}  // namespace

int main() {
  const support::redis::cluster servers;
  smallest(servers.url());
  auto cache = redis::client::open(servers.url());
  together(cache);
  each(cache);
  replicas(cache);
  return 0;
}
