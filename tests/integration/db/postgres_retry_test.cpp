// Transactions that lose against others are run again.

#include "postgres_fixture.hpp"

#include <boost/asio/use_future.hpp>
#include <doctest/doctest.h>

#include <barrier>
#include <chrono>
#include <cstdint>
#include <future>
#include <string>
#include <thread>
#include <vector>

using namespace postgres_test;
using namespace std::chrono_literals;

namespace {

/// Runs `each(0)` and `each(1)` at the same time.
template <class Each>
void in_two_threads(Each each) {
  std::thread other([&] { each(1); });
  each(0);
  other.join();
}

struct accounts : database {
  db::client client = open();

  accounts() {
    client.run_script(
        "create table account (id bigint primary key, money bigint not null);"
        "insert into account values (0, 100), (1, 100)");
  }

  std::vector<std::int64_t> money() {
    return client.read<std::int64_t>(sql("select money from account order by id"));
  }
};

/// Changes both accounts, this one first; both threads have changed theirs before they go on.
struct crossing {
  std::barrier<> both{2};
  std::atomic<int> runs{0};

  void operator()(db::transaction& tx, int first, bool is_first_run) {
    ++runs;
    tx.write(sql("update account set money = money + 1 where id = $1", first));
    if (is_first_run) both.arrive_and_wait();
    tx.write(sql("update account set money = money + 1 where id = $1", 1 - first));
  }
};

}  // namespace

TEST_CASE("of two transactions that deadlock, one is run again and both are committed") {
  accounts a;
  crossing cross;

  in_two_threads([&](int i) {
    bool is_first_run = true;
    a.client.transaction(
        [&](db::transaction& tx) { cross(tx, i, std::exchange(is_first_run, false)); });
  });

  CHECK(cross.runs >= 3);
  CHECK(a.money() == std::vector<std::int64_t>{102, 102});
}

TEST_CASE("an asynchronous transaction that deadlocks is run again") {
  accounts a;
  crossing cross;

  std::vector<std::future<scalekit::done>> ends;
  for (int i = 0; i < 2; ++i) {
    ends.push_back(a.client.async_transaction(
        [&cross, i, is_first_run = true](db::transaction& tx) mutable {
          cross(tx, i, std::exchange(is_first_run, false));
        },
        boost::asio::use_future));
  }
  for (auto& end : ends) end.get();

  CHECK(cross.runs >= 3);
  CHECK(a.money() == std::vector<std::int64_t>{102, 102});
}

TEST_CASE("serializable transactions that cannot have run one after the other are run again") {
  accounts a;
  std::barrier both(2);
  std::atomic<int> runs{0};

  // Each empties its account while there are 200 in all: write skew, where snapshots alone would
  // let both do it.
  in_two_threads([&](int i) {
    bool is_first_run = true;
    a.client.transaction(
        [&](db::transaction& tx) {
          ++runs;
          const auto sum = tx.read_one<std::int64_t>(sql("select sum(money)::bigint from account"));
          if (std::exchange(is_first_run, false)) both.arrive_and_wait();
          if (sum < 200) return;
          tx.write(sql("update account set money = 0 where id = $1", i));
        },
        {.isolation = db::isolation_level::serializable});
  });

  const auto money = a.money();
  CHECK(runs >= 3);
  CHECK(money[0] + money[1] == 100);
}

TEST_CASE("a deferrable transaction waits for those it could be a conflict for") {
  accounts a;
  auto writer = a.client.begin({.isolation = db::isolation_level::serializable});
  writer.write(sql("update account set money = 7 where id = 0"));

  auto report = std::async(std::launch::async, [&] {
    return a.client.transaction(
        [](db::transaction& tx) {
          return tx.read_one<std::int64_t>(sql("select money from account where id = 0"));
        },
        {.read_only = true, .isolation = db::isolation_level::serializable, .deferrable = true});
  });
  const auto before = report.wait_for(300ms);
  writer.commit();

  CHECK(before == std::future_status::timeout);
  // As of before it: the writer's end has only told that this is harmless.
  CHECK(report.get() == 100);
}

TEST_CASE("a transaction that always loses is given up after its attempts, and says so") {
  accounts a;
  int runs = 0;

  const auto e = support::error_of([&] {
    a.client.transaction(
        [&](db::transaction& tx) {
          ++runs;
          tx.read_one<std::int64_t>(sql("select money from account where id = 0"));
          a.client.write(sql("update account set money = money + 1 where id = 0"));
          tx.write(sql("update account set money = 0 where id = 0"));
        },
        {.isolation = db::isolation_level::repeatable_read, .max_attempts = 3});
  });

  CHECK(e.code() == errc::conflict);
  CHECK(e.diag().backend_code == "40001");
  CHECK(support::contains(e.what(), "given up after 3 attempts"));
  CHECK(runs == 3);
  CHECK(a.money()[0] == 103);
}

TEST_CASE("only what leaves the function as the server's conflict is run again") {
  accounts a;
  int runs = 0;
  struct host_error {};

  CHECK_THROWS_AS(a.client.transaction([&](db::transaction& tx) {
    ++runs;
    tx.write(sql("update account set money = 0"));
    throw host_error{};
  }),
                  host_error);
  CHECK_ERRC(a.client.transaction([&](db::transaction& tx) {
    ++runs;
    tx.write(sql("insert into account values (0, 1)"));
  }),
             errc::constraint_violation);

  CHECK(runs == 2);
}

TEST_CASE("the attempts of a transaction share its time") {
  accounts a;
  int runs = 0;

  const auto begun = std::chrono::steady_clock::now();
  const auto e = support::error_of([&] {
    a.client.transaction(
        [&](db::transaction&) {
          ++runs;
          throw scalekit::error(scalekit::make_error_code(errc::conflict),
                                {"lost", {}, "40001", {}});
        },
        {.timeout = 200ms, .max_attempts = 100});
  });

  CHECK((e.code() == errc::conflict || scalekit::is_timeout(e.code())));
  CHECK(runs > 1);
  CHECK(runs < 100);
  CHECK(std::chrono::steady_clock::now() - begun < 30s);
}

TEST_CASE("a transaction stopped between two attempts ends as cancelled") {
  accounts a;
  std::stop_source stop;

  CHECK_ERRC(a.client.transaction(
                 [&](db::transaction&) {
                   stop.request_stop();
                   throw scalekit::error(scalekit::make_error_code(errc::conflict),
                                         {"lost", {}, "40P01", {}});
                 },
                 {.stop = stop.get_token()}),
             errc::cancelled);
}
