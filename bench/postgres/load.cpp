#include "postgres/load.hpp"

#include "harness.hpp"
#include "postgres/server.hpp"
#include "postgres/statements.hpp"
#include "scalekit/db.hpp"
#include "scalekit/slow/tracker.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

namespace bench::postgres {

namespace asio = boost::asio;
namespace db = scalekit::db;
using namespace std::chrono_literals;
using std::chrono::steady_clock;

namespace {

constexpr auto measured = 700ms;

db::client open(const std::string& url, scalekit::execution exec = {}) {
  return db::client::open(url, {.tracker = std::make_shared<scalekit::slow::tracker>()},
                          std::move(exec));
}

class random_accounts {
 public:
  explicit random_accounts(std::size_t seed) : random_(static_cast<unsigned>(seed + 1)) {}
  std::int32_t next() { return static_cast<std::int32_t>(random_() % account_count) + 1; }

 private:
  std::minstd_rand random_;
};

/// A counter on a cache line of its own, that its owner alone raises.
struct alignas(64) counted {
  std::atomic<std::uint64_t> calls{0};
  void add() { calls.store(calls.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed); }
};

struct work {
  explicit work(std::size_t workers) : counts(workers) {}
  std::uint64_t done() const {
    std::uint64_t sum = 0;
    for (const auto& each : counts) sum += each.calls.load(std::memory_order_relaxed);
    return sum;
  }

  std::vector<counted> counts;
  std::atomic<bool> over{false};
};

/// Until several reads share one loan of a connection: a statement begins alone, and is proven
/// while it is in use.
void wait_until_shared(const db::client& client) {
  const auto until = steady_clock::now() + 10s;
  auto before = client.statistics();
  while (steady_clock::now() < until) {
    std::this_thread::sleep_for(50ms);
    auto now = client.statistics();
    const auto loans = now.writer.acquired - before.writer.acquired;
    if (now.statements > before.statements + 100 &&
        now.statements - before.statements > 2 * loans) {
      return;
    }
    before = std::move(now);
  }
  throw std::runtime_error("reads did not come to share connections within 10 s");
}

double measure(work& w, const std::function<void()>& wait_until_steady) {
  wait_until_steady();
  std::this_thread::sleep_for(200ms);
  const auto start = steady_clock::now();
  const auto before = w.done();
  std::this_thread::sleep_for(measured);
  const auto calls = static_cast<double>(w.done() - before);
  const std::chrono::duration<double> took = steady_clock::now() - start;
  w.over = true;
  return calls / took.count();
}

asio::awaitable<void> read_on(db::client client, work& w, std::size_t i) {
  random_accounts accounts(i);
  while (!w.over.load(std::memory_order_relaxed)) {
    auto query = db::sql(select_balance, accounts.next());
    try {
      auto rows = co_await client.async_read<std::int32_t>(std::move(query), asio::use_awaitable);
      if (rows.size() != 1) throw std::runtime_error("a read found no row");
      w.counts[i].add();
    } catch (const scalekit::error& e) {
      // Before reads share connections some may be turned away.
      if (e.code() != scalekit::errc::shed) throw;
    }
  }
}

asio::awaitable<void> write_on(db::client client, work& w, std::size_t i) {
  random_accounts accounts(i);
  while (!w.over.load(std::memory_order_relaxed)) {
    auto query = db::sql(update_balance, accounts.next());
    auto done = co_await client.async_write(std::move(query), asio::use_awaitable);
    if (done.rows_affected() != 1) throw std::runtime_error("a write found no row");
    w.counts[i].add();
  }
}

void rethrow(std::exception_ptr e) {
  if (e) std::rethrow_exception(e);
}

/// A loop on a thread of its own.
class loop_thread {
 public:
  asio::io_context& io() { return io_; }
  /// Runs what is there and what follows from it, to its end.
  void finish() {
    keep_.reset();
    thread_.join();
  }
  ~loop_thread() {
    if (thread_.joinable()) finish();
  }

 private:
  asio::io_context io_{1};
  asio::executor_work_guard<asio::io_context::executor_type> keep_{io_.get_executor()};
  std::thread thread_{[this] { io_.run(); }};
};

}  // namespace

double blocking_reads(const std::string& url) {
  auto client = open(url);
  random_accounts accounts(0);
  auto batch = [&](std::uint64_t n) {
    for (std::uint64_t i = 0; i < n; ++i) {
      const auto balance = client.read_one<std::int32_t>(db::sql(select_balance, accounts.next()));
      bench::keep(balance);
    }
  };
  batch(1000);
  return bench::rate(batch, 0.5);
}

double blocking_reads(const std::string& url, std::size_t threads) {
  auto client = open(url);
  work w(threads);
  std::vector<std::thread> readers;
  for (std::size_t i = 0; i < threads; ++i) {
    readers.emplace_back([&client, &w, i] {
      random_accounts accounts(i);
      while (!w.over.load(std::memory_order_relaxed)) {
        const auto balance =
            client.read_one<std::int32_t>(db::sql(select_balance, accounts.next()));
        bench::keep(balance);
        w.counts[i].add();
      }
    });
  }
  const auto result = measure(w, [&] { wait_until_shared(client); });
  for (auto& each : readers) each.join();
  return result;
}

double coroutine_reads(const std::string& url, std::size_t coroutines, loop where) {
  loop_thread own, other;
  auto client = open(url, scalekit::execution(own.io().get_executor()));
  auto& home = where == loop::shared ? own : other;
  work w(coroutines);
  for (std::size_t i = 0; i < coroutines; ++i) {
    asio::co_spawn(home.io(), read_on(client, w, i), rethrow);
  }
  const auto result = measure(w, [&] { wait_until_shared(client); });
  other.finish();
  client.close();
  own.finish();
  return result;
}

double coroutine_writes(const std::string& url, std::size_t coroutines) {
  loop_thread own;
  auto client = open(url, scalekit::execution(own.io().get_executor()));
  work w(coroutines);
  for (std::size_t i = 0; i < coroutines; ++i) {
    asio::co_spawn(own.io(), write_on(client, w, i), rethrow);
  }
  // The pool grows with its use.
  const auto result = measure(w, [] { std::this_thread::sleep_for(1s); });
  client.close();
  own.finish();
  return result;
}

}  // namespace bench::postgres
