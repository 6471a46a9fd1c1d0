#include "postgres/pool.hpp"

#include "db/call_frame.hpp"
#include "db/postgres/host_pool.hpp"
#include "db/postgres/settings.hpp"
#include "harness.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <limits>
#include <memory>
#include <source_location>
#include <thread>
#include <vector>

namespace bench::postgres {

namespace asio = boost::asio;
namespace db = scalekit::db;
using namespace std::chrono_literals;
using db::postgres::host_pool;
using db::postgres::lent_connection;
using scalekit::time_point;
using std::chrono::steady_clock;

namespace {

struct pool_of_one_server {
  pool_of_one_server(const std::string& url, const scalekit::execution& exec,
                     db::pool_params params)
      : settings(db::postgres::settings_from_url(url, {.pool = params})),
        pool(std::make_shared<host_pool>(
            settings.servers.front(), settings.params,
            std::make_shared<scalekit::detail::io_home>(exec, "sk-bench"))) {}
  ~pool_of_one_server() { pool->close(); }

  db::postgres::settings settings;
  std::shared_ptr<host_pool> pool;
};

db::detail::call_frame frame() {
  const auto now = steady_clock::now();
  return {now, scalekit::deadline::after(5s, now)};
}

/// Takes a connection, holds it, gives it back, and again.
class caller {
 public:
  caller(host_pool& pool, asio::io_context& io, std::vector<double>& waits, const bool& counting,
         const bool& over)
      : pool_(pool), hold_(io), waits_(waits), counting_(counting), over_(over) {}

  void ask() {
    if (over_) return;
    const auto now = steady_clock::now();
    pool_.async_take({std::source_location::current(), false, {}}, now, now + 5s, {}, {},
                     [this, now](std::exception_ptr e, lent_connection lent) {
                       note(e ? std::numeric_limits<double>::infinity()
                              : std::chrono::duration<double>(steady_clock::now() - now).count());
                       lent_ = std::move(lent);
                       hold();
                     });
  }

 private:
  void note(double wait) {
    if (counting_) waits_.push_back(wait);
  }

  void hold() {
    hold_.expires_after(1ms);
    hold_.async_wait([this](boost::system::error_code) {
      lent_ = {};
      ask();
    });
  }

  host_pool& pool_;
  asio::steady_timer hold_;
  std::vector<double>& waits_;
  const bool& counting_;
  const bool& over_;
  lent_connection lent_;
};

}  // namespace

double acquires(const std::string& url) {
  pool_of_one_server one(url, {}, {});
  const db::detail::pool_user user{std::source_location::current(), false,
                                   std::this_thread::get_id()};
  bool waited = false;
  one.pool->take(user, frame(), steady_clock::now() + 5s, waited);
  return bench::rate([&](std::uint64_t n) {
    for (std::uint64_t i = 0; i < n; ++i) {
      // With the clock read that every call begins with.
      const auto call = frame();
      auto lent = one.pool->take(user, call, call.until.when(), waited);
      bench::keep(lent);
    }
  });
}

double unfairness(const std::string& url) {
  asio::io_context io{1};
  pool_of_one_server one(url, scalekit::execution(io.get_executor()),
                         {.min = 20, .max = 20, .max_dials = 20, .adaptive = false});
  std::vector<double> waits;
  bool counting = false, over = false;
  std::vector<std::unique_ptr<caller>> callers;
  for (std::size_t i = 0; i < 200; ++i) {
    callers.push_back(std::make_unique<caller>(*one.pool, io, waits, counting, over));
    callers.back()->ask();
  }
  asio::steady_timer stage(io, 500ms);
  stage.async_wait([&](boost::system::error_code) {
    counting = true;
    stage.expires_after(1s);
    stage.async_wait([&](boost::system::error_code) {
      counting = false;
      over = true;
    });
  });
  io.run();
  std::sort(waits.begin(), waits.end());
  return waits.at(waits.size() * 99 / 100) / waits.at(waits.size() / 2);
}

}  // namespace bench::postgres
