#include "scalekit/db.hpp"

#include "harness.hpp"
#include "scalekit/slow/tracker.hpp"

#include <boost/describe/class.hpp>
#include <sqlite3.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <unistd.h>
#include <vector>

// The peer is what a careful user writes by hand: one prepared statement, kept, and the same
// columns copied into the same struct, on the same file with the same pragmas.

namespace {

namespace db = scalekit::db;
using scalekit::db::sql;

constexpr std::int64_t row_count = 10'000;

struct product {
  std::int64_t id;
  std::string name;
  std::string category;
  double price;
  std::int64_t stock;
};
BOOST_DESCRIBE_STRUCT(product, (), (id, name, category, price, stock))

/// A file with products in it that lives as long as the program.
class fixture {
 public:
  fixture() {
    char pattern[] = "/tmp/scalekit-bench-XXXXXX";
    if (mkdtemp(pattern) == nullptr) throw std::runtime_error("no temporary directory");
    directory_ = pattern;
    auto client = open();
    client.run_script(
        "create table product (id integer primary key, name text not null,"
        " category text not null, price real not null, stock integer not null);"
        "create table event (id integer primary key, value integer not null)");
    client.transaction([](db::transaction& tx) {
      for (std::int64_t id = 1; id <= row_count; ++id) {
        tx.write(sql("insert into product values ($1, $2, $3, $4, $5)", id,
                     "product number " + std::to_string(id), "furniture", 9.99, id % 100));
      }
    });
    client.close();
  }
  ~fixture() { std::filesystem::remove_all(directory_); }

  std::string file() const { return directory_ + "/shop.db"; }

  db::client open(std::size_t readers = 4) const {
    return db::client::open(
        "sqlite://" + file(),
        {.sqlite = {.readers = readers}, .tracker = std::make_shared<scalekit::slow::tracker>()});
  }

 private:
  std::string directory_;
};

/// Visits all rows in an order that is no order.
std::int64_t next_id(std::int64_t id) {
  return (id * 7919 + 13) % row_count + 1;
}

double ours(const fixture& f) {
  auto client = f.open();
  std::int64_t id = 1;
  return bench::rate([&](std::uint64_t n) {
    for (std::uint64_t i = 0; i < n; ++i) {
      id = next_id(id);
      auto row = client.read_one<product>(
          sql("select id, name, category, price, stock from product where id = $1", id));
      bench::keep(row);
    }
  });
}

void check(bool ok) {
  if (!ok) throw std::runtime_error("the peer failed");
}

std::string text(sqlite3_stmt* s, int column) {
  return {reinterpret_cast<const char*>(sqlite3_column_text(s, column)),
          static_cast<std::size_t>(sqlite3_column_bytes(s, column))};
}

double raw(const fixture& f) {
  sqlite3* connection = nullptr;
  check(sqlite3_open_v2(f.file().c_str(), &connection, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
                        nullptr) == SQLITE_OK);
  sqlite3_exec(connection, "pragma cache_size = -8192; pragma foreign_keys = on", nullptr, nullptr,
               nullptr);
  sqlite3_stmt* s = nullptr;
  check(sqlite3_prepare_v3(connection,
                           "select id, name, category, price, stock from product where id = ?1", -1,
                           SQLITE_PREPARE_PERSISTENT, &s, nullptr) == SQLITE_OK);
  std::int64_t id = 1;
  auto result = bench::rate([&](std::uint64_t n) {
    for (std::uint64_t i = 0; i < n; ++i) {
      id = next_id(id);
      sqlite3_bind_int64(s, 1, id);
      check(sqlite3_step(s) == SQLITE_ROW);
      product row{sqlite3_column_int64(s, 0), text(s, 1), text(s, 2), sqlite3_column_double(s, 3),
                  sqlite3_column_int64(s, 4)};
      bench::keep(row);
      sqlite3_reset(s);
    }
  });
  sqlite3_finalize(s);
  sqlite3_close(connection);
  return result;
}

/// Opens the file as the client does. Closes and finalises what it opened.
class raw_connection {
 public:
  raw_connection(const std::string& file, const char* text) {
    check(sqlite3_open_v2(file.c_str(), &db_, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
                          nullptr) == SQLITE_OK);
    sqlite3_busy_handler(db_, busy, nullptr);
    sqlite3_exec(db_, "pragma synchronous = full; pragma cache_size = -8192", nullptr, nullptr,
                 nullptr);
    check(sqlite3_prepare_v3(db_, text, -1, SQLITE_PREPARE_PERSISTENT, &s_, nullptr) == SQLITE_OK);
  }
  ~raw_connection() {
    sqlite3_finalize(s_);
    sqlite3_close(db_);
  }
  raw_connection(const raw_connection&) = delete;
  raw_connection& operator=(const raw_connection&) = delete;

  void insert(std::int64_t value) {
    sqlite3_bind_int64(s_, 1, value);
    check(sqlite3_step(s_) == SQLITE_DONE);
    sqlite3_reset(s_);
  }

 private:
  // Even steps serve many writers better than SQLite's own growing ones.
  static int busy(void*, int) {
    std::this_thread::sleep_for(std::chrono::milliseconds{1});
    return 1;
  }

  sqlite3* db_ = nullptr;
  sqlite3_stmt* s_ = nullptr;
};

/// Calls `work(thread)` from so many threads, over and over for a while; all calls per second.
double rate_of_threads(std::size_t count, const std::function<void(std::size_t)>& work) {
  std::atomic<bool> over{false};
  std::atomic<std::uint64_t> calls{0};
  const auto begun = std::chrono::steady_clock::now();
  {
    std::vector<std::jthread> threads;
    for (std::size_t t = 0; t < count; ++t) {
      threads.emplace_back([&, t] {
        std::uint64_t mine = 0;
        for (; !over.load(std::memory_order_relaxed); ++mine) work(t);
        calls += mine;
      });
    }
    std::this_thread::sleep_for(std::chrono::milliseconds{500});
    over = true;
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
  return static_cast<double>(calls.load()) / took.count();
}

constexpr std::size_t writers = 64;

double queued_ours(const fixture& f) {
  auto client = f.open();
  return rate_of_threads(writers, [&](std::size_t t) {
    client.write(sql("insert into event (value) values ($1)", static_cast<std::int64_t>(t)));
  });
}

double queued_mutex(const fixture& f) {
  raw_connection connection(f.file(), "insert into event (value) values (?1)");
  std::mutex mutex;
  return rate_of_threads(writers, [&](std::size_t t) {
    std::lock_guard lock(mutex);
    connection.insert(static_cast<std::int64_t>(t));
  });
}

double queued_connections(const fixture& f) {
  std::vector<std::unique_ptr<raw_connection>> connections;
  for (std::size_t t = 0; t < writers; ++t) {
    connections.push_back(
        std::make_unique<raw_connection>(f.file(), "insert into event (value) values (?1)"));
  }
  return rate_of_threads(
      writers, [&](std::size_t t) { connections[t]->insert(static_cast<std::int64_t>(t)); });
}

/// The better of the two, which depends on the disk.
double queued_raw(const fixture& f) {
  return std::max(queued_mutex(f), queued_connections(f));
}

constexpr std::size_t readers = 8;

/// Point reads by eight threads, with or without somebody who writes all the time, each write
/// committed and on the disk before the next.
double mixed(const fixture& f, bool with_writer) {
  auto client = f.open(readers);
  // On both sides: as long as the WAL is empty, every read asks for the size of the file as well.
  client.write(sql("update product set stock = 0 where id = 1"));
  std::jthread writer;
  if (with_writer) {
    writer = std::jthread([&](const std::stop_token& over) {
      for (std::int64_t i = 0; !over.stop_requested(); ++i) {
        client.write(sql("update product set stock = $1 where id = $2", i, next_id(i)));
      }
    });
  }
  return rate_of_threads(readers, [&](std::size_t t) {
    thread_local auto id = static_cast<std::int64_t>(t);
    id = next_id(id);
    auto row = client.read_one<product>(
        sql("select id, name, category, price, stock from product where id = $1", id));
    bench::keep(row);
  });
}

}  // namespace

void bench::register_cases() {
  auto f = std::make_shared<fixture>();
  bench::add({.name = "sqlite.read.blocking",
              .unit = "ops/s",
              .ours = [f] { return ours(*f); },
              .peer_name = "raw sqlite3, one prepared statement",
              .peer = [f] { return raw(*f); },
              .least_ratio = 0.85,
              .twice = true});
  bench::add({.name = "sqlite.write.queued",
              .unit = "ops/s",
              .ours = [f] { return queued_ours(*f); },
              .peer_name = "raw sqlite3, 64 threads, a transaction each: one connection and a "
                           "mutex, or 64 connections, whichever is faster",
              .peer = [f] { return queued_raw(*f); },
              .least_ratio = 5});
  bench::add({.name = "sqlite.mixed",
              .unit = "reads/s",
              .ours = [f] { return mixed(*f, true); },
              .peer_name = "the same eight readers without the writer",
              .peer = [f] { return mixed(*f, false); },
              .least_ratio = 0.8,
              .twice = true});
}
