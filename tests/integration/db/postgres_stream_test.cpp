// Rows one by one.

#include "postgres_fixture.hpp"
#include "support/sanitizer.hpp"
#include "support/tcp_proxy.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <fstream>
#include <string>
#include <thread>
#include <unistd.h>
#include <vector>

using namespace postgres_test;
using namespace std::chrono_literals;

namespace {

std::size_t resident_bytes() {
  std::size_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages >> pages;
  return pages * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

const auto wide_rows = sql("select repeat('x', 1000) || n from generate_series(1, 200000) n");

}  // namespace

TEST_CASE("a read of 200 MB takes little memory, though its reader is slow at first") {
  if (support::under_sanitizer) {
    MESSAGE("left out: a sanitizer keeps freed memory");
    return;
  }
  const database d;
  auto client = d.open();
  const auto before = resident_bytes();
  auto most = before;
  std::int64_t rows = 0;

  client.read_each<std::string>(wide_rows,
                                [&](std::string&&) {
                                  if (++rows == 10) std::this_thread::sleep_for(300ms);
                                  if (rows % 1000 == 0) most = std::max(most, resident_bytes());
                                },
                                {.timeout = 60s});

  CHECK(rows == 200'000);
  CHECK((most - before) / (1 << 20) < 16);
}

TEST_CASE("a connection lost in the middle of the rows is an error, and not tried again") {
  support::tcp_proxy proxy(shared_server().port());
  auto client = db::client::open("postgresql://postgres@127.0.0.1:" + std::to_string(proxy.port()) +
                                 "/postgres");
  std::int64_t rows = 0;

  CHECK_ERRC(client.read_each<std::string>(wide_rows,
                                           [&](std::string&&) {
                                             if (++rows == 1000) proxy.cut_all();
                                           },
                                           {.timeout = 60s}),
             errc::connection_lost);

  CHECK(rows >= 1000);
  CHECK(rows < 200'000);
  CHECK(client.read_one<int>(sql("select 1")) == 1);
}

TEST_CASE("a result that fails in its middle hands over what came before") {
  const database d;
  auto client = d.open();
  std::int64_t rows = 0;

  CHECK_ERRC(client.read_each<int>(sql("select 1 / (5000 - n) from generate_series(1, 10000) n"),
                                   [&](int) { ++rows; }),
             errc::value_out_of_range);

  CHECK(rows == 4999);
}

TEST_CASE("a transaction whose row function throws, or rolls back, is aborted") {
  const database d;
  auto client = d.open({.pool = {.min = 1, .max = 1}});
  struct host_error {};
  auto first = client.begin();

  CHECK_THROWS_AS(first.read_each<std::string>(wide_rows, [](auto&&) { throw host_error{}; }),
                  host_error);
  CHECK_FALSE(first.is_open());
  CHECK_ERRC(first.commit(), errc::not_allowed);

  auto second = client.begin();
  CHECK_ERRC(second.read_each<std::string>(wide_rows, [&](auto&&) { second.rollback(); }),
             errc::not_allowed);
  CHECK_FALSE(second.is_open());
  CHECK(client.read_one<int>(sql("select 1")) == 1);
}

TEST_CASE("rows are handed over on the caller's thread, also when many read at once") {
  const database d;
  auto client = d.open();
  client.run_script("create table t as select n from generate_series(1, 1000) n");
  std::atomic<int> right{0};

  std::vector<std::thread> readers;
  for (int i = 0; i < 16; ++i) {
    readers.emplace_back([&] {
      const auto me = std::this_thread::get_id();
      for (int k = 0; k < 40; ++k) {
        std::int64_t here = 0;
        client.read_each<int>(sql("select n from t"),
                              [&](int) { here += std::this_thread::get_id() == me ? 1 : 0; });
        right += here == 1000 ? 1 : 0;
      }
    });
  }
  for (auto& each : readers) each.join();

  CHECK(right == 640);
}
