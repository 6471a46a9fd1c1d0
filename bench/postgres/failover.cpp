#include "postgres/failover.hpp"

#include "scalekit/db.hpp"
#include "support/postgres/cluster.hpp"
#include "support/wait_until.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <libpq-fe.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <unordered_set>
#include <vector>

namespace bench::postgres {

namespace asio = boost::asio;
namespace db = scalekit::db;
using namespace std::chrono_literals;
using std::chrono::steady_clock;
using support::postgres::cluster;
using support::postgres::replication;

namespace {

/// Writers that go on whatever happens, and remember what was acknowledged.
class writers {
 public:
  writers(db::client client, int count) {
    for (int i = 0; i < count; ++i) {
      threads_.emplace_back([this, client]() mutable {
        while (!over_) {
          const auto n = next_++;
          try {
            client.write(db::sql("insert into written values ($1)", n), {.timeout = 10s});
          } catch (const scalekit::error&) {
            continue;  // Refused or in doubt: not acknowledged.
          }
          const std::lock_guard lock(mutex_);
          acknowledged_.push_back({n, steady_clock::now()});
        }
      });
    }
  }
  ~writers() { stop(); }
  void stop() {
    over_ = true;
    for (auto& each : threads_) {
      if (each.joinable()) each.join();
    }
  }
  std::size_t count() const {
    const std::lock_guard lock(mutex_);
    return acknowledged_.size();
  }
  struct write {
    std::int64_t n;
    steady_clock::time_point at;
  };
  /// The first that was acknowledged after `when`.
  std::optional<steady_clock::time_point> first_after(steady_clock::time_point when) const {
    const std::lock_guard lock(mutex_);
    std::optional<steady_clock::time_point> first;
    for (const auto& each : acknowledged_) {
      if (each.at > when && (!first || each.at < *first)) first = each.at;
    }
    return first;
  }
  std::vector<write> acknowledged() const {
    const std::lock_guard lock(mutex_);
    return acknowledged_;
  }

 private:
  std::atomic<bool> over_{false};
  std::atomic<std::int64_t> next_{0};
  mutable std::mutex mutex_;
  std::vector<write> acknowledged_;
  std::vector<std::thread> threads_;
};

/// Asks a server every millisecond to accept a write, which does not wait for its replica.
steady_clock::time_point first_accepted_write(const std::string& url) {
  const auto until = steady_clock::now() + 60s;
  while (steady_clock::now() < until) {
    const std::unique_ptr<PGconn, void (*)(PGconn*)> pq(PQconnectdb(url.c_str()), PQfinish);
    const std::unique_ptr<PGresult, void (*)(PGresult*)> alone(
        PQexec(pq.get(), "set synchronous_commit = local"), PQclear);
    while (PQstatus(pq.get()) == CONNECTION_OK) {
      const std::unique_ptr<PGresult, void (*)(PGresult*)> result(
          PQexec(pq.get(), "insert into probed values (1)"), PQclear);
      if (PQresultStatus(result.get()) == PGRES_COMMAND_OK) return steady_clock::now();
      std::this_thread::sleep_for(1ms);
    }
    std::this_thread::sleep_for(1ms);
  }
  throw std::runtime_error("the promoted server accepted no write within a minute");
}

void require(bool holds, const char* what) {
  if (!holds) throw std::runtime_error(what);
}

}  // namespace

double failovers::seconds() {
  cluster of({.mode = replication::on, .must_confirm = 2});
  of.primary().exec("create table written (n bigint); create table probed (n int)");
  of.wait_until_caught_up();
  auto client = db::client::open(of.url());
  writers load(client, 8);
  require(support::wait_until([&] { return load.count() >= 200; }),
          "no writes before the failover");

  of.primary().kill9();
  for (std::size_t i : {1U, 2U}) {
    of.node(i).reload({{"synchronous_standby_names", "ANY 1 (*)"}});
  }
  const auto heir = of.furthest_of(1, 2);
  steady_clock::time_point accepts;
  std::thread probe([&] { accepts = first_accepted_write(of.node(heir).socket_url()); });
  of.promote(heir);
  of.follow_primary(3 - heir);
  probe.join();
  require(support::wait_until([&] { return load.first_after(accepts).has_value(); }),
          "no write after a failover");
  const auto first = *load.first_after(accepts);
  load.stop();

  std::unordered_set<std::int64_t> kept;
  client.read_each<std::int64_t>(db::sql("select n from written"),
                                 [&](std::int64_t n) { kept.insert(n); },
                                 {.timeout = 1min, .consistency = db::consistency::primary()});
  double lost = 0;
  for (const auto& each : load.acknowledged()) lost += kept.contains(each.n) ? 0 : 1;
  lost_ = std::max(lost_, 0.0) + lost;
  return std::chrono::duration<double>(first - accepts).count();
}

double failovers::lost() {
  if (lost_ < 0) seconds();
  return lost_;
}

struct stale_reads::state {
  cluster of;
  db::client writer, reader;
  std::atomic<std::int64_t> stale{0};

  state()
      : writer((of.primary().exec("create table newest as select 0::bigint as n"),
                of.wait_until_caught_up(), db::client::open(of.url()))),
        reader(db::client::open(of.url())) {
    of.set_apply_delay(1, 3ms);
    of.set_apply_delay(2, 30ms);
  }
};

stale_reads::stale_reads() = default;
stale_reads::~stale_reads() = default;

double stale_reads::count() {
  constexpr std::int64_t reads = 200'000;
  constexpr int readers = 64;
  if (!state_) state_ = std::make_unique<state>();
  auto& s = *state_;
  struct written {
    std::int64_t n = 0;
    std::string token;
  };
  std::mutex mutex;
  written newest;
  std::atomic<bool> over{false};
  std::thread writer([&] {
    auto n = s.writer.read_one<std::int64_t>(db::sql("select n from newest"),
                                             {.consistency = db::consistency::primary()});
    while (!over) {
      ++n;
      auto token = s.writer.write(db::sql("update newest set n = $1", n)).token();
      const std::lock_guard lock(mutex);
      newest = {n, std::move(token)};
    }
  });
  std::atomic<std::int64_t> done{0};
  asio::io_context io;
  auto read_on = [&]() -> asio::awaitable<void> {
    while (done < reads) {
      written seen;
      {
        const std::lock_guard lock(mutex);
        seen = newest;
      }
      if (seen.token.empty()) {
        co_await asio::post(io, asio::use_awaitable);
        continue;
      }
      const auto got = co_await s.reader.async_read<std::int64_t>(
          db::sql("select n from newest"),
          db::call_options{.timeout = 30s, .consistency = db::consistency::after(seen.token)},
          asio::use_awaitable);
      if (got.at(0) < seen.n) ++s.stale;
      ++done;
    }
  };
  for (int i = 0; i < readers; ++i) {
    asio::co_spawn(io, read_on(), [](std::exception_ptr e) {
      if (e) std::rethrow_exception(e);
    });
  }
  io.run();
  over = true;
  writer.join();
  std::uint64_t on_replicas = 0;
  for (const auto& host : s.reader.statistics().hosts) {
    if (host.role == db::host_role::replica) on_replicas += host.reads;
  }
  require(on_replicas > 0, "no read ran on a replica");
  return static_cast<double>(s.stale);
}

}  // namespace bench::postgres
