#include "scalekit/db.hpp"

#include "harness.hpp"
#include "scalekit/slow/tracker.hpp"

#include <boost/describe/class.hpp>
#include <sqlite3.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <unistd.h>

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
        " category text not null, price real not null, stock integer not null)");
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

  db::client open() const {
    return db::client::open("sqlite://" + file(),
                            {.tracker = std::make_shared<scalekit::slow::tracker>()});
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

}  // namespace

void bench::register_cases() {
  auto f = std::make_shared<fixture>();
  bench::add({.name = "sqlite.read.blocking",
              .unit = "ops/s",
              .ours = [f] { return ours(*f); },
              .peer_name = "raw sqlite3, one prepared statement",
              .peer = [f] { return raw(*f); },
              .least_ratio = 0.8});
}
