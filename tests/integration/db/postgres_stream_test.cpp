// Rows one by one.

#include "postgres_fixture.hpp"
#include "support/sanitizer.hpp"
#include "support/tcp_proxy.hpp"
#include "support/wait_until.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <exception>
#include <fstream>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <unistd.h>
#include <vector>

namespace asio = boost::asio;
using namespace postgres_test;
using namespace std::chrono_literals;

namespace {

std::size_t resident_bytes() {
  std::size_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages >> pages;
  return pages * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

const auto wide_rows = sql("select repeat('x', 1000) || n from generate_series(1, 200000) n");

/// Whether a statement of a client runs, or its connection waits to be read from.
bool is_busy(const database& d) {
  return shared_server().query_one(
             "select count(*) from pg_stat_activity where state <> 'idle' and datname = '" +
             d.name + "' and pid <> pg_backend_pid()") != "0";
}

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

TEST_CASE("an async read of 200 MB takes little memory, though its reader is slow at first") {
  if (support::under_sanitizer) {
    MESSAGE("left out: a sanitizer keeps freed memory");
    return;
  }
  const database d;
  asio::io_context io;
  auto client = d.open({}, scalekit::execution(io.get_executor()));
  const auto before = resident_bytes();
  auto most = before;
  std::uint64_t rows = 0;
  std::optional<std::uint64_t> count;

  client.async_read_each<std::string>(
      wide_rows,
      [&](std::string&&) {
        if (++rows == 10) std::this_thread::sleep_for(300ms);
        if (rows % 1000 == 0) most = std::max(most, resident_bytes());
      },
      {.timeout = 60s},
      [&](const std::exception_ptr& e, std::uint64_t n) {
        CHECK_FALSE(e);
        count = n;
      });
  io.run();

  CHECK(rows == 200'000);
  CHECK(count == 200'000);
  CHECK((most - before) / (1 << 20) < 16);
}

TEST_CASE("a connection lost in the middle of an async read is an error, and not tried again") {
  support::tcp_proxy proxy(shared_server().port());
  auto client = db::client::open("postgresql://postgres@127.0.0.1:" + std::to_string(proxy.port()) +
                                 "/postgres");
  std::int64_t rows = 0;

  auto read = client.async_read_each<std::string>(
      wide_rows,
      [&](std::string&&) {
        if (++rows == 1000) proxy.cut_all();
      },
      {.timeout = 60s}, asio::use_future);
  CHECK_ERRC(read.get(), errc::connection_lost);

  CHECK(rows >= 1000);
  CHECK(rows < 200'000);
  CHECK(client.read_one<int>(sql("select 1")) == 1);
}

TEST_CASE("a result that fails in its middle hands over what came before without blocking, too") {
  const database d;
  auto client = d.open();
  std::int64_t rows = 0;

  auto read = client.async_read_each<int>(
      sql("select 1 / (5000 - n) from generate_series(1, 10000) n"), [&](int) { ++rows; },
      asio::use_future);
  CHECK_ERRC(read.get(), errc::value_out_of_range);

  CHECK(rows == 4999);
}

TEST_CASE("a function that throws stops what the server does for an async read") {
  const database d;
  auto client = d.open({.pool = {.min = 1, .max = 1}});
  struct host_error {};

  auto read = client.async_read_each<std::string>(
      wide_rows, [](std::string&&) { throw host_error{}; }, {.timeout = 60s}, asio::use_future);
  CHECK_THROWS_AS(read.get(), host_error);

  CHECK(client.read_one<int>(sql("select 1")) == 1);
  CHECK_FALSE(is_busy(d));
}

TEST_CASE("an async read whose loop goes in its middle leaves nothing behind") {
  const database d;
  std::uint64_t rows = 0;
  {
    asio::io_context io;
    d.open({}, scalekit::execution(io.get_executor()))
        .async_read_each<std::string>(
            wide_rows, [&](std::string&&) { ++rows; }, {.timeout = 60s},
            [](const std::exception_ptr&, std::uint64_t) { FAIL("not answered"); });
    while (rows < 1000) io.run_one();
    CHECK(is_busy(d));
  }

  CHECK(rows < 200'000);
  CHECK(support::wait_until([&] { return !is_busy(d); }));
}

namespace {

struct thrown_by_host {};

/// Reads any number of rows, a hundred times, and ends some of the reads in any way. Returns how
/// many ended otherwise than they should.
asio::awaitable<int> read_at_random(db::client client, unsigned seed) {
  enum class way { complete, throwing, cancelled, late };
  std::mt19937 random(seed);
  int wrong = 0;
  for (int i = 0; i < 100; ++i) {
    const auto how = static_cast<way>(random() % 4);
    const auto rows = static_cast<std::int64_t>(1 + random() % 5000);
    const auto last = static_cast<std::int64_t>(1 + random() % 5000);
    db::call_options options{.timeout = 60s};
    if (how == way::late) options.timeout = std::chrono::microseconds(random() % 10'000);
    asio::cancellation_signal signal;
    std::int64_t seen = 0;
    auto each = [&](std::int64_t n) {
      if (n != ++seen) ++wrong;
      if (seen != last) return;
      if (how == way::throwing) throw thrown_by_host{};
      if (how == way::cancelled) signal.emit(asio::cancellation_type::terminal);
    };
    bool is_right = false;
    try {
      const auto count = co_await client.async_read_each<std::int64_t>(
          sql("select n from generate_series(1, $1::int8) n", rows), each, options,
          asio::bind_cancellation_slot(signal.slot(), asio::use_awaitable));
      const bool ends_early = how == way::throwing || how == way::cancelled;
      is_right = count == static_cast<std::uint64_t>(rows) && seen == rows &&
                 (!ends_early || last >= rows);
    } catch (const thrown_by_host&) {
      is_right = how == way::throwing && seen == last;
    } catch (const scalekit::error& e) {
      if (how == way::cancelled) is_right = e.code() == errc::cancelled && seen == last;
      if (how == way::late) is_right = scalekit::is_timeout(e);
    }
    if (!is_right) ++wrong;
  }
  co_return wrong;
}

}  // namespace

TEST_CASE("800 async reads that are thrown out of, cancelled and late leave nothing behind") {
  const database d;
  asio::io_context io;
  auto client = d.open({.acquire_timeout = 60s, .pool = {.min = 1, .max = 4, .shed_target = 0s}},
                       scalekit::execution(io.get_executor()));
  int wrong = 0, over = 0;

  for (unsigned caller = 0; caller < 8; ++caller) {
    asio::co_spawn(io, read_at_random(client, caller), [&](const std::exception_ptr& e, int n) {
      CHECK_FALSE(e);
      wrong += n;
      ++over;
    });
  }
  io.run();

  CHECK(over == 8);
  CHECK(wrong == 0);
  CHECK(support::wait_until([&] {
    io.restart();
    io.poll();
    const auto pool = client.statistics().writer;
    return pool.busy == 0 && pool.waiting == 0 && pool.unready == 0;
  }));
  CHECK_FALSE(is_busy(d));
}
