#include "integration/db/postgres_fixture.hpp"
#include "shop_database.hpp"
#include "support/throws_errc.hpp"

#include <boost/asio/use_future.hpp>
#include <doctest/doctest.h>

#include <cstdint>

// Faults before a PostgreSQL server that the tests have.

namespace asio = boost::asio;
namespace db = scalekit::db;
using namespace scalekit::testing;
using scalekit::errc;

TEST_CASE("a client of PostgreSQL meets faults too, and the client that it was made of none") {
  const postgres_test::database server;
  auto over = server.open();
  shop_database t(over);
  auto outage = t.database.inject({.error = errc::unavailable, .times = fault::unlimited});

  CHECK_ERRC(t.items(), errc::unavailable);
  CHECK(over.read_one<std::int64_t>(count_items()) == 0);
  outage.remove();
  CHECK(t.items() == 0);
}

TEST_CASE("a commit of unknown outcome was made on PostgreSQL, or was not") {
  for (const bool is_made : {false, true}) {
    const postgres_test::database server;
    shop_database t(server.open());
    t.database.inject(
        {.on = call_kind::commit, .error = errc::commit_in_doubt, .is_made = is_made});
    const auto body = [](db::transaction& tx) { tx.write(insert_item(1)); };

    CHECK_ERRC(t.shop.async_transaction(body, asio::use_future).get(), errc::commit_in_doubt);

    CHECK(t.items() == (is_made ? 1 : 0));
  }
}

TEST_CASE("a transaction on PostgreSQL that loses by a fault is run again after a pause") {
  const postgres_test::database server;
  shop_database t(server.open());
  t.database.inject({.on = call_kind::commit, .error = errc::conflict, .times = 2});
  t.database.inject({.on = call_kind::write, .every = 4, .error = errc::connection_lost});
  int runs = 0;
  const auto body = [&](db::transaction& tx) { tx.write(insert_item(++runs)); };

  t.shop.async_transaction(body, asio::use_future).get();
  CHECK(runs == 3);
  t.shop.transaction(body);

  CHECK(runs == 5);
  CHECK(t.items() == 2);
  CHECK(t.database.faults_left().empty());
}

TEST_CASE("a fault in a savepoint on PostgreSQL ends the whole transaction") {
  const postgres_test::database server;
  shop_database t(server.open());
  t.database.inject({.on = call_kind::write, .error = errc::connection_lost});
  auto tx = t.shop.begin();

  CHECK_ERRC(tx.savepoint([&] { tx.write(insert_item(1)); }), errc::connection_lost);

  CHECK_FALSE(tx.is_open());
  CHECK_ERRC(tx.commit(), errc::not_allowed);
  CHECK(t.items() == 0);
}
