#include "scalekit/redis.hpp"
#include "support/redis/sentinels.hpp"

#include <string>

namespace redis = scalekit::redis;

int main() {
  const support::redis::sentinels group;
  const auto url = group.url();
  //[open
  // "redis+sentinel://:password@10.0.0.1,10.0.0.2,10.0.0.3/0?service=shop"
  auto cache = redis::client::open(url);
  cache.call<scalekit::done>(redis::command("SET", "product:42", "a sofa"));
  //]
  return group.data(0).ask({"GET", "product:42"}) == "a sofa" ? 0 : 1;
}
