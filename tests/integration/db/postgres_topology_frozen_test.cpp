// A server that is stopped by SIGSTOP: its connections stay, and nothing answers.

#include "postgres_topology_fixture.hpp"
#include "scalekit/db.hpp"
#include "support/postgres/cluster.hpp"
#include "support/throws_errc.hpp"
#include "support/wait_until.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using namespace scalekit;
using db::consistency;
using db::sql;
using support::contains;
using support::wait_until;
using support::postgres::cluster;
using support::postgres::server;
using topology_test::make_table;
using topology_test::patient;
using topology_test::port_of_read;
using topology_test::shared_cluster;

namespace {

/// For as long as it lives.
class frozen {
 public:
  explicit frozen(server& at) : at_(at) { at_.freeze(); }
  ~frozen() { at_.thaw(); }
  frozen(const frozen&) = delete;
  frozen& operator=(const frozen&) = delete;

 private:
  server& at_;
};

/// Inserts numbers, each once, and knows what it was told of them.
class numbers {
 public:
  numbers(db::client& client, std::string table) : client_(client), table_(std::move(table)) {}

  /// The port of the server that it was done on, 0 where it failed.
  std::int64_t insert(std::chrono::nanoseconds timeout) {
    const auto n = next_++;
    const auto began = std::chrono::steady_clock::now();
    try {
      const auto port = client_.write<std::int64_t>(
          db::unsafe_sql(
              "insert into " + table_ + " values ($1) returning inet_server_port()::int8", n),
          {.timeout = timeout});
      const std::lock_guard lock(mutex_);
      done.insert(n);
      return port.at(0);
    } catch (const error& e) {
      const auto took = std::chrono::steady_clock::now() - began;
      const std::lock_guard lock(mutex_);
      longest = std::max(longest, took);
      if (scalekit::outcome_unknown(e)) {
        in_doubt.insert(n);
      } else {
        undone.insert(n);
        if (!scalekit::is_transient(e)) wrong.emplace_back(e.what());
      }
      return 0;
    }
  }

  std::set<std::int64_t> done, in_doubt, undone;
  /// Of those that failed.
  std::chrono::nanoseconds longest{};
  std::vector<std::string> wrong;

 private:
  db::client& client_;
  const std::string table_;
  std::atomic<std::int64_t> next_{0};
  std::mutex mutex_;
};

std::set<std::int64_t> numbers_on(const server& at, const std::string& table) {
  // What was sent while it was frozen has run.
  at.wait_for(
      "select count(*) from pg_stat_activity where backend_type = 'client backend'"
      " and state = 'active' and pid <> pg_backend_pid()",
      "0");
  db::client direct = db::client::open(at.url());
  std::set<std::int64_t> all;
  for (const auto n : direct.read<std::int64_t>(db::unsafe_sql("select n from " + table))) {
    all.insert(n);
  }
  return all;
}

bool has_all(const std::set<std::int64_t>& all, const std::set<std::int64_t>& some) {
  return std::includes(all.begin(), all.end(), some.begin(), some.end());
}

}  // namespace

TEST_CASE(
    "a primary hangs: reads go on, writes fail in time and truthfully, and then all is well") {
  auto& of = shared_cluster();
  make_table(of, "hanging");
  auto client = db::client::open(of.url(), patient());
  numbers writes(client, "hanging");
  REQUIRE(writes.insert(60s) == of.primary().port());
  of.wait_until_caught_up();
  REQUIRE(wait_until([&] { return port_of_read(client) != of.primary().port(); }));
  std::atomic<int> reads{0}, failed_reads{0};

  {
    const frozen primary(of.primary());
    std::atomic<bool> over{false};
    std::thread reader([&] {
      while (!over) {
        try {
          port_of_read(client, {.timeout = 10s});
          ++reads;
        } catch (const error& e) {
          ++failed_reads;
          MESSAGE(std::string(e.what()));
        }
      }
    });
    std::vector<std::thread> writers;
    for (int i = 0; i < 4; ++i) {
      writers.emplace_back([&] {
        for (int k = 0; k < 4; ++k) writes.insert(1s);
      });
    }
    for (auto& each : writers) each.join();
    const auto e = support::error_of(
        [&] { client.write(sql("insert into hanging values (-1)"), {.timeout = 500ms}); });
    over = true;
    reader.join();
    CHECK(e.code() == errc::unavailable);
    CHECK(contains(e.what(), "no host is known to be primary"));
    CHECK(contains(e.what(), "127.0.0.1:" + std::to_string(of.primary().port()) + " "));
  }
  const auto failed = writes.in_doubt.size() + writes.undone.size();
  const bool healed = wait_until([&] { return writes.insert(60s) == of.primary().port(); });
  const auto seen = client.read_one<std::int64_t>(sql("select count(*) from hanging"));
  const auto kept = numbers_on(of.primary(), "hanging");

  CHECK(failed_reads == 0);
  CHECK(reads > 20);
  CHECK(failed == 16);
  CHECK(writes.wrong == std::vector<std::string>{});
  CHECK(writes.longest < 8s);
  CHECK(healed);
  CHECK(has_all(kept, writes.done));
  for (const auto n : writes.undone) CHECK_FALSE(kept.contains(n));
  CHECK_FALSE(kept.contains(-1));
  CHECK(seen >= static_cast<std::int64_t>(writes.done.size()));
  CHECK(client.statistics().hosts.at(0).role == db::host_role::primary);
}

TEST_CASE("a primary hangs and is replaced: when it comes to, nobody writes to it") {
  cluster of;
  make_table(of, "replaced");
  auto client = db::client::open(of.url(), patient());
  auto& old = of.node(0);
  numbers writes(client, "replaced");
  REQUIRE(writes.insert(60s) == old.port());
  of.wait_until_caught_up();
  const auto before = writes.done;

  std::set<std::int64_t> in_doubt;
  {
    const frozen hangs(old);
    // Where these go nobody can know: they may be waiting in a socket.
    for (int i = 0; i < 2; ++i) writes.insert(500ms);
    in_doubt = writes.in_doubt;
    of.promote(1);
    of.follow_primary(2);
    CHECK(wait_until([&] { return writes.insert(5s) == of.node(1).port(); }));
  }
  auto newcomer = db::client::open(of.url(), patient());
  numbers others(newcomer, "replaced_by_newcomer");
  of.primary().exec("create table replaced_by_newcomer (n bigint primary key)");
  std::set<std::int64_t> ports;
  const auto until = std::chrono::steady_clock::now() + 3s;
  while (std::chrono::steady_clock::now() < until) {
    ports.insert(writes.insert(30s));
    ports.insert(others.insert(30s));
    std::this_thread::sleep_for(10ms);
  }

  CHECK(ports == std::set<std::int64_t>{of.node(1).port()});
  auto allowed = before;
  allowed.merge(in_doubt);
  CHECK(has_all(allowed, numbers_on(old, "replaced")));
  CHECK(has_all(numbers_on(of.node(1), "replaced"), writes.done));
  CHECK(wait_until([&] {
    return contains(client.statistics().hosts.at(0).state, "which timeline 2 replaced");
  }));
  CHECK(client.read_one<std::int64_t>(sql("select count(*) from replaced")) >=
        static_cast<std::int64_t>(writes.done.size()));
}

TEST_CASE("a replica hangs: who reads from it waits for his own time at most, all else goes on") {
  auto& of = shared_cluster();
  auto client = db::client::open(of.url(), patient());
  const auto& hung = of.node(1);
  const auto all_serve = [&] {
    std::set<std::int64_t> ports;
    return wait_until([&] {
      ports.insert(port_of_read(client));
      return ports.contains(of.node(1).port()) && ports.contains(of.node(2).port());
    });
  };
  REQUIRE(all_serve());
  std::atomic<int> served{0}, late{0};
  std::atomic<std::int64_t> by_hung{0}, wrong{0};

  {
    const frozen replica(of.node(1));
    std::atomic<bool> over{false};
    std::vector<std::thread> readers;
    for (int i = 0; i < 4; ++i) {
      readers.emplace_back([&] {
        while (!over) {
          try {
            by_hung += port_of_read(client, {.timeout = 500ms}) == hung.port() ? 1 : 0;
            ++served;
          } catch (const error& e) {
            e.code() == errc::execution_timeout || e.code() == errc::acquire_timeout ? ++late
                                                                                     : ++wrong;
          }
        }
      });
    }
    // Its evidence runs out, and then nobody is sent there any more.
    CHECK(wait_until([&] {
      const auto state = client.statistics().hosts.at(1).state;
      return state.starts_with("unreachable") || state.starts_with("silent");
    }));
    const auto late_by_then = late.load();
    const auto served_by_then = served.load();
    CHECK(wait_until([&] { return served > served_by_then + 200; }));
    CHECK(late <= late_by_then + 4);
    over = true;
    for (auto& each : readers) each.join();
  }

  CHECK(by_hung == 0);
  CHECK(wrong == 0);
  CHECK(all_serve());
}
