// Reads that share connections, beside all others that want one.

#include "postgres_faults_loop.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <atomic>
#include <cstdint>
#include <future>
#include <thread>
#include <vector>

using namespace faults;

namespace {

constexpr const char* shop = "create table item (id int primary key); insert into item values (1)";

constexpr char a_read[] = "select id from item where id = $1";

/// Coroutines in the loop of the client, where an answer is followed at once by the next read.
class steady_readers {
 public:
  steady_readers(loop& in, db::client client, int count) {
    for (int i = 0; i < count; ++i) {
      ended_.push_back(asio::co_spawn(in.io(), read(client), asio::use_future));
    }
  }

  void leave() {
    over_ = true;
    for (auto& each : ended_) CHECK_NOTHROW(each.get());
  }
  std::uint64_t done() const { return done_; }

 private:
  asio::awaitable<void> read(db::client client) {
    while (!over_) {
      co_await client.async_read<std::int32_t>(sql(a_read, 1), asio::use_awaitable);
      ++done_;
    }
  }

  std::atomic<bool> over_{false};
  std::atomic<std::uint64_t> done_{0};
  std::vector<std::future<void>> ended_;
};

}  // namespace

TEST_CASE("lanes share a pool that is smaller than they, with each other and with writes") {
  const database d(shop);
  loop in;
  auto client = d.open(
      {.statement_timeout = 30s, .acquire_timeout = 10s, .pool = {.min = 1, .max = 1}, .lanes = 4},
      in.execution());
  REQUIRE(warm_up<std::int32_t>(client, sql(a_read, 1)));

  steady_readers readers(in, client, 40);
  for (int i = 0; i < 20; ++i) CHECK_NOTHROW(client.write(sql("update item set id = id")));
  readers.leave();

  CHECK(readers.done() > 100);
}

TEST_CASE("so do those of callers that block") {
  const database d(shop);
  auto client = d.open({.statement_timeout = 30s,
                        .acquire_timeout = 10s,
                        .pool = {.min = 1, .max = 1, .shed_target = 0s},
                        .lanes = 4});
  REQUIRE(warm_up<std::int32_t>(client, sql(a_read, 1)));

  std::atomic<bool> over{false};
  std::atomic<int> failed{0};
  std::vector<std::thread> readers;
  for (int i = 0; i < 20; ++i) {
    readers.emplace_back([&] {
      while (!over) {
        try {
          client.read<std::int32_t>(sql(a_read, 1));
        } catch (const error&) {
          ++failed;
        }
      }
    });
  }
  for (int i = 0; i < 20; ++i) CHECK_NOTHROW(client.write(sql("update item set id = id")));
  over = true;
  for (auto& each : readers) each.join();

  CHECK(failed == 0);
}

TEST_CASE("a client that closes lets the reads end that were asked for before") {
  const database d(shop);
  loop in;
  for (int round = 0; round < 5; ++round) {
    auto client = d.open({.pool = {.min = 1, .max = 2}}, in.execution());
    REQUIRE(warm_up<std::int32_t>(client, sql(a_read, 1)));
    std::vector<std::future<std::vector<std::int32_t>>> asked;
    for (int i = 0; i < 20; ++i) {
      asked.push_back(client.async_read<std::int32_t>(sql(a_read, 1), asio::use_future));
    }

    client.close();

    for (auto& each : asked) CHECK(each.get().size() == 1);
  }
}
