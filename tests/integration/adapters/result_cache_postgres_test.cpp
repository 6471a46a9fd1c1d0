// The result cache on one PostgreSQL server.

#include "result_cache_fixture.hpp"
#include "support/postgres/server.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <string>

using namespace result_cache_test;

namespace {

support::postgres::server& shared_server() {
  static support::postgres::server running;
  return running;
}

/// A database of a test's own, with a cache.
struct shop {
  std::string name;
  std::string url;
  db::client client;
  result_cache cache;

  explicit shop(adapters::result_cache_params params = {})
      : name(next_name()),
        url(create(name)),
        client(db::client::open(url)),
        cache(made(client, url, std::move(params))) {}

 private:
  static std::string next_name() {
    static std::atomic<int> next{0};
    return "test_" + std::to_string(next++);
  }
  static std::string create(const std::string& name) {
    shared_server().create_database(name);
    shared_server().exec(schema, name);
    return shared_server().socket_url(name);
  }
  static result_cache made(db::client& client, const std::string& url,
                           adapters::result_cache_params params) {
    adapters::install_change_triggers(client, {"counted"});
    params.listen_url = url;
    return {client, scalekit::cache::store::open(), std::move(params)};
  }
};

}  // namespace

TEST_CASE("what was read once is found until its table is changed by somebody else") {
  shop s;
  REQUIRE(wait_until_it_serves(s.cache));

  shared_server().exec("update counted set n = 7 where id = 1", s.name);

  CHECK(wait_until([&] { return n(s.cache, 1) == 7; }));
  const auto before = s.cache.statistics();
  CHECK(n(s.cache, 1) == 7);
  CHECK(s.cache.statistics().hits == before.hits + 1);
  CHECK(before.notices == 1);
}
