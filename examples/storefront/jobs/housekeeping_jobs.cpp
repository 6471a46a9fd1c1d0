#include "jobs/effects.hpp"
#include "jobs/jobs.hpp"

#include <scalekit/core/clock.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <filesystem>

namespace storefront {
namespace {

namespace queue = scalekit::queue;
namespace fs = std::filesystem;

/// Removes what attempts that were killed have left unfinished. An hour: no attempt lives so
/// long, so none of the files is still being written.
void remove_leftovers(const data_dir& dirs) {
  auto old = fs::file_time_type::clock::now() - std::chrono::hours(1);
  for (const auto& dir : {dirs.outbox, dirs.reports, dirs.backups}) {
    for (const auto& entry : fs::directory_iterator(dir)) {
      std::error_code ignored;
      if (entry.path().extension() == ".tmp" && entry.last_write_time(ignored) < old) {
        fs::remove(entry.path(), ignored);
      }
    }
  }
}

/// What an operator wants after having changed data behind the shop's back.
void clean_caches(shop& shop) {
  shop.pages.clear();
  remove_leftovers(shop.dirs);
}

}  // namespace

bool is_housekeeping(std::string_view kind) {
  constexpr std::array<std::string_view, 3> kinds{"report", "backup", "cache_cleanup"};
  return std::find(kinds.begin(), kinds.end(), kind) != kinds.end();
}

void add_housekeeping_jobs(queue::worker& worker, shop& shop) {
  worker.on("report", [&shop](queue::attempt& attempt) {
    auto job = std::to_string(attempt.id());
    auto bytes = write_report(shop.db, shop.dirs, job, to_string(attempt.lease()));
    shop.db.transaction([&](scalekit::db::transaction& tx) {
      note_report(tx, job, bytes);
      attempt.complete_in(tx);
    });
  });
  worker.on("backup", [&shop](queue::attempt& attempt) {
    auto job = std::to_string(attempt.id());
    auto bytes = write_backup(shop.db, shop.dirs, job, to_string(attempt.lease()));
    shop.db.transaction([&](scalekit::db::transaction& tx) {
      note_backup(tx, job, bytes);
      attempt.complete_in(tx);
    });
  });
  // Harmless when done twice: nothing to tell apart.
  worker.on("cache_cleanup", [&shop](queue::attempt&) { clean_caches(shop); });
}

std::string do_housekeeping_now(shop& shop, std::string_view kind) {
  auto now = scalekit::to_micros(scalekit::clock::system().wall_now());
  auto job = "direct-" + std::string(kind) + "-" + std::to_string(now);
  if (kind == "report") {
    auto bytes = write_report(shop.db, shop.dirs, job, "1");
    shop.db.transaction([&](scalekit::db::transaction& tx) { note_report(tx, job, bytes); });
  } else if (kind == "backup") {
    auto bytes = write_backup(shop.db, shop.dirs, job, "1");
    shop.db.transaction([&](scalekit::db::transaction& tx) { note_backup(tx, job, bytes); });
  } else {
    clean_caches(shop);
  }
  return job;
}

}  // namespace storefront
