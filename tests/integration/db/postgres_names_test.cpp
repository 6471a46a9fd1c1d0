// Hosts that are named, not numbered.

#include "scalekit/db.hpp"
#include "support/postgres/server.hpp"
#include "support/throws_errc.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <string>

namespace db = scalekit::db;
using namespace std::chrono_literals;
using scalekit::errc;
using scalekit::db::sql;
using support::contains;

namespace {

support::postgres::server& server() {
  static support::postgres::server running;
  return running;
}

std::string url_of(const std::string& host) {
  return "postgresql://postgres@" + host + ":" + std::to_string(server().port()) + "/postgres";
}

}  // namespace

TEST_CASE("a host is found by its name, at that of its addresses at which a server listens") {
  // ::1 too, in most places; the server is at 127.0.0.1 only.
  auto client = db::client::open(url_of("localhost"));

  CHECK(client.read_one<int>(sql("select 1")) == 1);
  CHECK(client.statistics().hosts.front().name == "localhost:" + std::to_string(server().port()));
}

TEST_CASE("a name that nobody knows is an error that names it, and holds nobody up") {
  auto client = db::client::open(url_of("nobody.invalid"),
                                 {.acquire_timeout = 10s, .pool = {.create_timeout = 300ms}});

  const auto e = support::error_of([&] { client.read_one<int>(sql("select 1")); });

  CHECK(e.code() == errc::unavailable);
  CHECK(contains(e.what(), "nobody.invalid"));
}

TEST_CASE("hostaddr says where a host is, whatever its name says") {
  auto client = db::client::open(url_of("nobody.invalid") + "?hostaddr=127.0.0.1");

  CHECK(client.read_one<int>(sql("select 1")) == 1);
}
