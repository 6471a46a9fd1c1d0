#include "shop_database.hpp"
#include "support/throws_errc.hpp"

#include <boost/describe.hpp>
#include <doctest/doctest.h>

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace db = scalekit::db;
using namespace scalekit::testing;
using scalekit::errc;
using scalekit::db::sql;

namespace {

struct item {
  std::int64_t id;
  std::string name;
};
BOOST_DESCRIBE_STRUCT(item, (), (id, name))

std::vector<call_kind> kinds(const std::vector<logged_call>& log) {
  std::vector<call_kind> all;
  for (const auto& one : log) all.push_back(one.kind);
  return all;
}

}  // namespace

TEST_CASE("an outage fails every call until it is removed, and changes nothing") {
  shop_database t;
  auto outage = t.database.inject({.error = errc::unavailable, .times = fault::unlimited});

  CHECK_ERRC(t.shop.write(insert_item(1)), errc::unavailable);
  CHECK_ERRC(t.shop.read<std::int64_t>(count_items()), errc::unavailable);
  CHECK_ERRC(t.shop.execute(insert_item(1)), errc::unavailable);
  CHECK_ERRC(t.shop.begin(), errc::unavailable);
  CHECK_ERRC(t.shop.insert_many("item", std::vector<item>{{1, "sofa"}}), errc::unavailable);
  CHECK(outage.met() == 5);

  outage.remove();
  CHECK(t.items() == 0);
}

TEST_CASE("a fault says where it was met and where it was injected") {
  shop_database t;
  t.database.inject({.error = errc::shed});

  const auto e = support::error_of([&] { t.shop.read<std::int64_t>(sql("select 1")); });

  CHECK(support::contains(e.what(), "faults_test.cpp"));
  CHECK(support::contains(e.what(), "met the fault injected at faults_test.cpp"));
  CHECK(is_transient(e));
}

TEST_CASE("a write of unknown outcome was made or was not, as the test wants it") {
  for (const bool is_made : {false, true}) {
    shop_database t;
    t.database.inject({.on = call_kind::write, .error = errc::commit_in_doubt, .is_made = is_made});

    CHECK_ERRC(t.shop.write(insert_item(1)), errc::commit_in_doubt);

    CHECK(t.items() == (is_made ? 1 : 0));
    CHECK(t.database.faults_left().empty());
  }
}

TEST_CASE("a commit of unknown outcome was made or was not, and the transaction is over") {
  for (const bool is_made : {false, true}) {
    shop_database t;
    t.database.inject(
        {.on = call_kind::commit, .error = errc::commit_in_doubt, .is_made = is_made});
    int runs = 0;

    CHECK_ERRC(t.shop.transaction([&](db::transaction& tx) {
      ++runs;
      tx.write(insert_item(1));
    }),
               errc::commit_in_doubt);

    CHECK(runs == 1);
    CHECK(t.items() == (is_made ? 1 : 0));
  }
}

TEST_CASE("a write that would have failed anyway is not in doubt") {
  shop_database t;
  t.shop.write(insert_item(1));
  t.database.inject({.on = call_kind::write, .error = errc::commit_in_doubt, .is_made = true});

  CHECK_ERRC(t.shop.write(insert_item(1)), errc::constraint_violation);
}

TEST_CASE("a transaction that loses is run again, as on PostgreSQL") {
  for (const auto why : {errc::conflict, errc::connection_lost}) {
    for (const auto where : {call_kind::write, call_kind::commit}) {
      shop_database t;
      t.database.inject({.on = where, .error = why, .times = 2});
      int runs = 0;

      t.shop.transaction([&](db::transaction& tx) {
        ++runs;
        tx.write(insert_item(1));
      });

      CHECK(runs == 3);
      CHECK(t.items() == 1);
    }
  }
}

TEST_CASE("a transaction that loses too often gives up") {
  shop_database t;
  t.database.inject({.on = call_kind::commit, .error = errc::conflict, .times = 3});

  const auto e = support::error_of([&] {
    t.shop.transaction([&](db::transaction& tx) { tx.write(insert_item(1)); }, {.max_attempts = 3});
  });

  CHECK(e.code() == errc::conflict);
  CHECK(support::contains(e.what(), "given up after 3 attempts"));
  CHECK(t.items() == 0);
}

TEST_CASE("a statement that fails rolls its transaction back, which refuses what follows") {
  shop_database t;
  t.database.inject({.on = call_kind::read, .error = errc::execution_timeout});
  auto tx = t.shop.begin();
  tx.write(insert_item(1));

  CHECK_ERRC(tx.read<std::int64_t>(count_items()), errc::execution_timeout);

  CHECK_FALSE(tx.is_open());
  const auto e = support::error_of([&] { tx.commit(); });
  CHECK(e.code() == errc::not_allowed);
  CHECK(support::contains(e.what(), "met the fault injected at"));
  CHECK_ERRC(tx.write(insert_item(2)), errc::not_allowed);
  CHECK_ERRC(tx.lock(1), errc::not_allowed);
  CHECK_ERRC(tx.run_script("drop table item"), errc::not_allowed);
  CHECK(t.items() == 0);
}

TEST_CASE("a fault in a savepoint ends the whole transaction") {
  shop_database t;
  t.database.inject({.text = "values ($1, $2)", .every = 2, .error = errc::connection_lost});
  auto tx = t.shop.begin();
  tx.write(insert_item(1));

  CHECK_ERRC(tx.savepoint([&] { tx.write(insert_item(2)); }), errc::connection_lost);

  CHECK_ERRC(tx.savepoint([] {}), errc::not_allowed);
  CHECK(t.items() == 0);
}

TEST_CASE("what a transaction is told after its end comes from the driver, and meets no fault") {
  shop_database t;
  auto tx = t.shop.begin();
  tx.commit();
  auto f = t.database.inject({.error = errc::shed});

  CHECK_ERRC(tx.write(insert_item(1)), errc::not_allowed);
  CHECK(f.met() == 0);
}

TEST_CASE("a batch meets the fault of any of its statements, with all of them") {
  shop_database t;
  t.database.inject({.text = "insert", .error = errc::unavailable});
  t.database.inject({.on = call_kind::write, .error = errc::commit_in_doubt, .is_made = true});
  db::batch page;
  auto seen = page.read<std::int64_t>(count_items());
  page.write(insert_item(1));

  CHECK_ERRC(t.shop.run(page), errc::unavailable);
  CHECK(t.items() == 0);
  CHECK_ERRC(t.shop.run(page), errc::commit_in_doubt);
  CHECK(t.items() == 1);
  CHECK_ERRC(seen.take(), errc::not_allowed);
}

TEST_CASE("a batch in a transaction fails with it") {
  shop_database t;
  t.database.inject({.text = "insert", .error = errc::unavailable});
  auto tx = t.shop.begin();
  db::batch page;
  page.write(insert_item(1));

  CHECK_ERRC(tx.run(page), errc::unavailable);
  CHECK_FALSE(tx.is_open());
}

TEST_CASE("execute() runs nothing a second time for a fault") {
  shop_database t;
  auto f = t.database.inject({.error = errc::not_allowed, .times = 2});

  CHECK_ERRC(t.shop.execute(count_items()), errc::not_allowed);

  CHECK(f.met() == 1);
}

TEST_CASE("the log has texts, kinds and numbers of parameters, and no values") {
  shop_database t;
  t.database.inject({.on = call_kind::commit, .error = errc::conflict});
  t.shop.transaction([&](db::transaction& tx) { tx.write(insert_item(7)); });
  t.items();

  const auto log = t.database.log();

  using enum call_kind;
  CHECK(kinds(log) == std::vector{begin, write, commit, begin, write, commit, read});
  CHECK(log[1].text == "insert into item (id, name) values ($1, $2)");
  CHECK(log[1].binds == 2);
  CHECK(log[1].in_transaction);
  CHECK(log[2].fault_error == errc::conflict);
  CHECK_FALSE(log[5].fault_error.has_value());
  CHECK_FALSE(log[6].in_transaction);
}

TEST_CASE("a migration is a transaction that can fail like any other, and be repeated") {
  shop_database t;
  t.database.inject({.text = "create table orders", .error = errc::unavailable});
  const std::vector<std::string_view> steps{"create table orders (id integer primary key)"};

  CHECK_ERRC(t.shop.migrate("shop", steps), errc::unavailable);
  CHECK(t.shop.migrate("shop", steps) == 1);
}

TEST_CASE("a client that outlives its database meets no faults") {
  std::optional<shop_database> t(std::in_place);
  t->database.inject({.error = errc::unavailable});
  auto shop = t->shop;

  t.reset();

  CHECK(shop.read_one<std::int64_t>(count_items()) == 0);
}

TEST_CASE("a fault that can never be met is refused where it is injected") {
  database d;
  CHECK_THROWS_AS(d.inject({}), std::invalid_argument);
  CHECK_THROWS_AS(d.inject({.every = 0, .error = errc::shed}), std::invalid_argument);
}

TEST_CASE("on an I/O thread a blocking call is refused before it meets a fault") {
  shop_database t;
  auto f = t.database.inject({.hold = true});
  const scalekit::io_thread_mark mark;

  CHECK_ERRC(t.items(), errc::not_allowed);
  CHECK(f.met() == 0);
}
