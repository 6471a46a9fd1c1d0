#include "jobs/effects.hpp"

#include <scalekit/core/clock.hpp>

#include <sqlite3.h>

#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <tuple>

namespace storefront {
namespace {

struct close_connection {
  void operator()(sqlite3* db) const { sqlite3_close(db); }
};
struct finish_statement {
  void operator()(sqlite3_stmt* s) const { sqlite3_finalize(s); }
};

/// VACUUM INTO: one consistent snapshot, compact, while others go on writing.
///
/// On a connection of its own, because the library's client rightly refuses statements that open
/// further files.
void vacuum_into(const std::filesystem::path& from, const std::filesystem::path& to) {
  sqlite3* opened = nullptr;
  int status = sqlite3_open_v2(from.c_str(), &opened, SQLITE_OPEN_READONLY, nullptr);
  std::unique_ptr<sqlite3, close_connection> db(opened);
  auto check = [&](bool ok) {
    if (!ok) throw std::runtime_error(std::string("backup: ") + sqlite3_errmsg(opened));
  };
  check(status == SQLITE_OK);
  sqlite3_busy_timeout(opened, 5000);
  sqlite3_stmt* prepared = nullptr;
  status = sqlite3_prepare_v2(opened, "vacuum into ?", -1, &prepared, nullptr);
  std::unique_ptr<sqlite3_stmt, finish_statement> statement(prepared);
  check(status == SQLITE_OK);
  auto target = to.string();
  check(sqlite3_bind_text(prepared, 1, target.c_str(), -1, SQLITE_TRANSIENT) == SQLITE_OK);
  check(sqlite3_step(prepared) == SQLITE_DONE);
}

std::int64_t copy_sqlite(const data_dir& dirs, std::string_view job_id, std::string_view attempt) {
  auto target = dirs.backups / (std::string(job_id) + ".db");
  auto temporary = target;
  temporary += "." + std::string(attempt) + ".tmp";
  try {
    vacuum_into(dirs.database, temporary);
    // SQLite does not wait for the disk here, and the job is about to be marked as done.
    put_in_place(temporary, target);
  } catch (...) {
    std::error_code ignored;
    std::filesystem::remove(temporary, ignored);
    throw;
  }
  return static_cast<std::int64_t>(std::filesystem::file_size(target));
}

/// One snapshot of the books, on a replica if need be: it keeps nobody from selling.
std::int64_t export_books(scalekit::db::client& db, const data_dir& dirs, std::string_view job_id,
                          std::string_view attempt) {
  using scalekit::db::sql;
  using std::to_string;
  std::string csv = "order,retailer,placed_at,paid_at,line,product,quantity,price_cents\r\n";
  scalekit::db::transaction_options snapshot;
  snapshot.read_only = true;
  db.transaction(
      [&](scalekit::db::transaction& tx) {
        csv.resize(csv.find('\n') + 1);
        using row =
            std::tuple<std::int64_t, std::int64_t, std::int64_t, std::optional<std::int64_t>,
                       std::int64_t, std::int64_t, std::int64_t, std::int64_t>;
        tx.read_each<row>(
            sql("select o.id, o.retailer_id, o.placed_at, p.paid_at, l.line, l.product_id, "
                "l.quantity, l.price_cents from orders o join order_line l on l.order_id = o.id "
                "left join payment p on p.order_id = o.id order by o.id, l.line"),
            [&](const row& r) {
              const auto& [order, retailer, placed, paid, line, product, quantity, price] = r;
              csv += to_string(order) + ',' + to_string(retailer) + ',' + to_string(placed) + ',' +
                     (paid ? to_string(*paid) : "") + ',' + to_string(line) + ',' +
                     to_string(product) + ',' + to_string(quantity) + ',' + to_string(price) +
                     "\r\n";
            },
            {.timeout = std::chrono::seconds(30)});
      },
      snapshot);
  const auto target = dirs.backups / (std::string(job_id) + ".csv");
  auto temporary = target;
  temporary += "." + std::string(attempt) + ".tmp";
  write_atomically(temporary, attempt, csv);
  put_in_place(temporary, target);
  return static_cast<std::int64_t>(csv.size());
}

}  // namespace

std::int64_t write_backup(scalekit::db::client& db, const data_dir& dirs, std::string_view job_id,
                          std::string_view attempt) {
  return db.dialect() == scalekit::db::dialect::sqlite ? copy_sqlite(dirs, job_id, attempt)
                                                       : export_books(db, dirs, job_id, attempt);
}

void note_backup(scalekit::db::transaction& tx, std::string_view job_id, std::int64_t bytes) {
  tx.write(scalekit::db::sql("insert into backup (job_id, bytes, written_at) values ($1, $2, $3)",
                             job_id, bytes, scalekit::clock::system().wall_now()));
}

}  // namespace storefront
