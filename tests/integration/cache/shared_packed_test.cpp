#include "packed.hpp"
#include "scalekit/cache.hpp"
#include "shared_servers.hpp"

#include <doctest/doctest.h>

#include <string>

namespace cache = scalekit::cache;
using namespace cache_test;

TEST_CASE("compressed and sealed entries of a server") {
  for_each_server([](shared_server& server) {
    check_secrets(only_shared(server.url()));

    auto params = only_shared(server.url());
    params.entries = packed;
    auto store = cache::store::open(params);
    CHECK(store.get_or_load<std::string>("b", cache::ttl::product, [] { return text; }).value ==
          text);
    CHECK(store.get<std::string>("b").value == text);
    store.set_many<std::string>({{"c", text}, {"d", "short"}}, cache::ttl::product);
    CHECK(store.get_many<std::string>({"c", "d"}).at(1).value == "short");

    // What stands under a key and is not sealed is loaded anew, and replaced.
    server.plant("e", "not an entry");
    CHECK(store.get_or_load<std::string>("e", cache::ttl::product, [] { return text; }).value ==
          text);
    CHECK(store.get<std::string>("e").value == text);
  });
}
