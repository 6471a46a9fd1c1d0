#include "jobs/effects.hpp"

#include <scalekit/core/clock.hpp>

#include <sqlite3.h>

#include <memory>
#include <stdexcept>

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

}  // namespace

std::int64_t write_backup(const data_dir& dirs, std::string_view job_id, std::string_view attempt) {
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

void note_backup(scalekit::db::transaction& tx, std::string_view job_id, std::int64_t bytes) {
  tx.write(scalekit::db::sql("insert into backup (job_id, bytes, written_at) values ($1, $2, $3)",
                             job_id, bytes, scalekit::clock::system().wall_now()));
}

}  // namespace storefront
