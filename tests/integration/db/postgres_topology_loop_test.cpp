// Clients with several hosts in a host's event loop that goes away.

#include "scalekit/db.hpp"
#include "support/reserved_port.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <future>
#include <string>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using namespace scalekit;
using db::sql;

namespace {

namespace asio = boost::asio;

/// A host's event loop on a thread of its own.
class loop {
 public:
  loop() : thread_([this] { io_.run(); }) {}
  ~loop() {
    io_.stop();
    thread_.join();
  }
  execution executors() { return execution(io_.get_executor()); }

 private:
  asio::io_context io_{1};
  asio::executor_work_guard<asio::io_context::executor_type> keep_{io_.get_executor()};
  std::thread thread_;
};

/// Two hosts at which nobody is.
struct nowhere {
  support::reserved_port one, other;

  std::string url() const {
    return "postgresql://postgres@127.0.0.1:" + std::to_string(one.number()) +
           ",127.0.0.1:" + std::to_string(other.number()) + "/postgres";
  }
};

db::client_params watchful() {
  db::client_params params;
  params.statement_timeout = 60s;
  params.acquire_timeout = 60s;
  params.topology.monitor_interval = 50ms;
  return params;
}

}  // namespace

TEST_CASE("a client and its host's loop go while calls wait for a host") {
  const nowhere hosts;
  std::vector<std::future<std::vector<std::int64_t>>> reads;
  std::vector<std::future<db::write_result>> writes;

  for (int i = 0; i < 20; ++i) {
    loop l;
    auto client = db::client::open(hosts.url(), watchful(), l.executors());
    for (int k = 0; k < 4; ++k) {
      reads.push_back(client.async_read<std::int64_t>(sql("select 1"), asio::use_future));
      writes.push_back(client.async_write(sql("create table t (n int)"), asio::use_future));
    }
    // The monitor has news for those who wait about now.
    if (i % 2 == 1) {
      CHECK_THROWS_AS(client.write(sql("create table t (n int)"), {.timeout = 60ms}), error);
    }
  }

  for (auto& each : reads) CHECK_THROWS(each.get());
  for (auto& each : writes) CHECK_THROWS(each.get());
}

TEST_CASE("who waits for a host is told of the client's end") {
  const nowhere hosts;
  loop l;
  auto client = db::client::open(hosts.url(), watchful(), l.executors());
  auto waiting = client.async_write(sql("create table t (n int)"), asio::use_future);
  std::thread blocked([&] { CHECK_THROWS_AS(client.write(sql("create table t (n int)")), error); });

  client.close(100ms);
  blocked.join();

  CHECK_THROWS_AS(waiting.get(), error);
}
