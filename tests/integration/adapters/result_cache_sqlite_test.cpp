// The result cache over a SQLite file that only this process writes.

#include "result_cache_fixture.hpp"
#include "support/temp_directory.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <doctest/doctest.h>

#include <atomic>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

using namespace result_cache_test;
namespace asio = boost::asio;

namespace {

struct counted {
  std::int64_t id = 0;
  std::int64_t n = 0;
};
BOOST_DESCRIBE_STRUCT(counted, (), (id, n))

struct reversed {
  std::int64_t n = 0;
  std::int64_t id = 0;
};
BOOST_DESCRIBE_STRUCT(reversed, (), (n, id))

struct notebook {
  support::temp_directory directory;
  db::client client = db::client::open("sqlite://" + directory.file("counted.db"));
  cache::store store = cache::store::open();
  result_cache it;

  explicit notebook(adapters::result_cache_params params = {.is_only_writer = true})
      : it((client.run_script(schema), client), store, std::move(params)) {}

  std::uint64_t statements() const { return client.statistics().statements; }
};

}  // namespace

TEST_CASE("a result is read once, and again after each write of its table") {
  notebook b;
  const auto before = b.statements();

  CHECK(n(b.it, 1) == 0);
  CHECK(n(b.it, 1) == 0);
  CHECK(b.statements() == before + 1);

  b.it.write(add_one_to(1), {"counted"});
  CHECK(n(b.it, 1) == 1);
  CHECK(n(b.it, 1) == 1);
  b.it.write(add_one_to(1), {"something_else"});
  CHECK(n(b.it, 1) == 1);

  const auto s = b.it.statistics();
  CHECK(s.misses == 2);
  CHECK(s.hits == 3);
  CHECK(s.tables_written == 2);
  CHECK_FALSE(s.silence);
}

TEST_CASE(
    "a transaction tells of its writes when it is committed, and not when it is rolled back") {
  notebook b;
  n(b.it, 1);

  const auto seen_inside = b.it.transaction(
      [&](db::transaction& tx) {
        tx.write(add_one_to(1));
        CHECK(n(b.it, 1) == 0);
        return tx.read_one<std::int64_t>(n_of(1));
      },
      {"counted"});
  CHECK(seen_inside == 1);
  CHECK(n(b.it, 1) == 1);

  CHECK_THROWS_AS(b.it.transaction(
                      [&](db::transaction& tx) {
                        tx.write(add_one_to(1));
                        throw std::runtime_error("no");
                      },
                      {"counted"}),
                  std::runtime_error);
  const auto before = b.statements();
  CHECK(n(b.it, 1) == 1);
  CHECK(b.statements() == before);
}

TEST_CASE("a write made otherwise is seen once the cache was told of it") {
  notebook b;
  n(b.it, 1);

  const auto done = b.client.write(add_one_to(1));
  CHECK(n(b.it, 1) == 0);
  b.it.wrote({"counted"}, done);
  CHECK(n(b.it, 1) == 1);

  b.client.write(add_one_to(1));
  b.it.wrote({"counted"}, "");
  CHECK(n(b.it, 1) == 2);
  CHECK_ERRC(b.it.wrote({"counted"}, "no token"), errc::invalid_argument);
}

TEST_CASE("statement, parameters, tables and columns tell results apart") {
  notebook b;
  b.client.write(sql("update counted set n = 5 where id = 2"));
  const cached too{cache::ttl::query, {"counted", "other"}};
  const auto all = sql("select id, n from counted where id = $1", 2);

  CHECK(n(b.it, 1) == 0);
  CHECK(n(b.it, 2) == 5);
  const auto by_name = b.it.read_one<counted>(of_counted, all);
  const auto by_other_names = b.it.read_one<reversed>(of_counted, all);
  const auto by_position = b.it.read_one<std::tuple<std::int64_t, int>>(of_counted, all);
  b.it.read_one<counted>(too, all);

  CHECK(by_name.id == 2);
  CHECK(by_other_names.id == 2);
  CHECK(std::get<0>(by_position) == 2);
  CHECK(b.it.statistics().misses == 6);
  CHECK(b.it.read_one<reversed>(of_counted, all).n == 5);
  CHECK(b.it.statistics().hits == 1);
}

TEST_CASE("no rows are a result, and one row is asked for as of a client") {
  notebook b;

  CHECK_FALSE(b.it.read_optional<std::int64_t>(of_counted, n_of(9)));
  CHECK_FALSE(b.it.read_optional<std::int64_t>(of_counted, n_of(9)));
  CHECK(b.it.statistics().hits == 1);
  CHECK_ERRC(b.it.read_one<std::int64_t>(of_counted, n_of(9)), errc::not_found);
  CHECK_ERRC(b.it.read_one<std::int64_t>(of_counted, sql("select n from counted")),
             errc::too_large);
}

TEST_CASE("what fails is the database's error, and is not kept") {
  notebook b;
  const auto bad = sql("select n from no_such_table");

  CHECK_ERRC(b.it.read<std::int64_t>(of_counted, bad), errc::invalid_statement);
  CHECK_ERRC(b.it.read<std::int64_t>(of_counted, bad), errc::invalid_statement);
  CHECK_ERRC(b.it.read<counted>(of_counted, n_of(1)), errc::column_mismatch);
  CHECK_ERRC(b.it.read<std::string>(of_counted, n_of(1)), errc::column_mismatch);
  n(b.it, 1);
  CHECK_ERRC(b.it.read<std::string>(of_counted, n_of(1)), errc::column_mismatch);
}

TEST_CASE("results of too many rows or bytes are given, and not kept") {
  notebook b({.is_only_writer = true, .max_rows = 10, .max_bytes = 1024});
  const auto numbers = [](int count) {
    return sql(
        "with recursive k(i) as (select 1 union all select i + 1 from k where i < $1)"
        " select i from k",
        count);
  };
  const auto text = sql("select printf('%.2000c', 'x')");

  for (int round = 0; round < 2; ++round) {
    CHECK(b.it.read<int>(of_counted, numbers(10)).size() == 10);
    CHECK(b.it.read<int>(of_counted, numbers(11)).size() == 11);
    CHECK(b.it.read_one<std::string>(of_counted, text).size() == 2000);
  }

  const auto s = b.it.statistics();
  CHECK(s.hits == 1);
  CHECK(s.not_kept_large == 2);
  CHECK(s.bypassed_by_choice == 2);
}

TEST_CASE("who asks for the primary, or with a very long statement, is not served from the cache") {
  notebook b;
  n(b.it, 1);

  n(b.it, 1, {.consistency = consistency::primary()});
  const std::string long_text(70'000, 'x');
  b.it.read<std::int64_t>(of_counted, sql("select n from counted where $1 = 'x'", long_text));

  CHECK(b.it.statistics().bypassed_by_choice == 2);
  CHECK(b.it.statistics().hits == 0);
}

TEST_CASE("two caches on one store do not share results") {
  notebook b;
  result_cache other(b.client, b.store, {.is_only_writer = true});
  n(b.it, 1);

  b.it.write(add_one_to(1), {"counted"});

  CHECK(n(b.it, 1) == 1);
  CHECK(n(other, 1) == 1);
  CHECK(other.statistics().misses == 1);
}

TEST_CASE("settings that can never work are refused") {
  notebook b;
  const auto made = [&](adapters::result_cache_params p) { result_cache(b.client, b.store, p); };

  CHECK_THROWS_AS(made({}), std::invalid_argument);
  CHECK_THROWS_AS(made({.listen_url = "postgresql://h/d", .is_only_writer = true}),
                  std::invalid_argument);
  CHECK_THROWS_AS(made({.is_only_writer = true, .channel = ""}), std::invalid_argument);
  CHECK_THROWS_AS(made({.is_only_writer = true, .max_staleness = 199ms}), std::invalid_argument);
  CHECK_THROWS_AS(made({.is_only_writer = true, .max_rows = 0}), std::invalid_argument);
  CHECK_THROWS_AS(made({.is_only_writer = true, .max_bytes = 100}), std::invalid_argument);
  CHECK_THROWS_AS(made({.is_only_writer = true, .timeout = 0ms}), std::invalid_argument);
  CHECK_ERRC(made({.listen_url = "sqlite::memory:"}), errc::not_supported);
}

TEST_CASE("without blocking: reads, hits, writes, errors") {
  notebook b;
  asio::io_context io;
  // A list in braces after co_await is too much for gcc 12.
  const std::vector<std::string> tables{"counted"};
  const auto script = [&]() -> asio::awaitable<std::vector<std::int64_t>> {
    std::vector<std::int64_t> seen;
    const auto see = [&]() -> asio::awaitable<void> {
      auto rows = co_await b.it.async_read<std::int64_t>(of_counted, n_of(1), asio::use_awaitable);
      seen.push_back(rows.at(0));
    };
    co_await see();
    co_await see();
    co_await b.it.async_write(add_one_to(1), tables, asio::use_awaitable);
    co_await see();
    const db::call_options newest{.consistency = consistency::primary()};
    auto past =
        co_await b.it.async_read<std::int64_t>(of_counted, n_of(1), newest, asio::use_awaitable);
    seen.push_back(past.at(0));
    co_return seen;
  };

  auto seen = asio::co_spawn(io, script, asio::use_future);
  io.run();
  auto failing = b.it.async_read<std::int64_t>(of_counted, sql("select n from no_such_table"),
                                               asio::use_future);
  auto refused =
      b.it.async_write(sql("insert into counted values (1, 1)"), {"counted"}, asio::use_future);

  CHECK(seen.get() == std::vector<std::int64_t>{0, 0, 1, 1});
  CHECK_ERRC(failing.get(), errc::invalid_statement);
  CHECK_ERRC(refused.get(), errc::constraint_violation);
  const auto s = b.it.statistics();
  CHECK(s.hits == 1);
  CHECK(s.misses == 2);
  CHECK(s.bypassed_by_choice == 1);
}

TEST_CASE("without blocking: results too large come as well") {
  notebook b({.is_only_writer = true, .max_rows = 1});
  const auto both = sql("select n from counted");

  for (int i = 0; i < 2; ++i) {
    CHECK(b.it.async_read<std::int64_t>(of_counted, both, asio::use_future).get().size() == 2);
  }

  CHECK(b.it.statistics().not_kept_large == 1);
}

TEST_CASE("every thread sees what it has written, and what others have told of") {
  notebook b;
  std::atomic<std::int64_t> told{0};
  std::atomic<int> violations{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 100; ++i) {
        if (t == 0) {
          b.it.write(add_one_to(1), {"counted"});
          ++told;
        }
        const auto known = told.load();
        const auto seen =
            t == 1 ? b.it.async_read<std::int64_t>(of_counted, n_of(1), asio::use_future).get()[0]
                   : n(b.it, 1);
        if (seen < known) ++violations;
      }
    });
  }
  for (auto& t : threads) t.join();

  CHECK(violations == 0);
  CHECK(n(b.it, 1) == 100);
}
