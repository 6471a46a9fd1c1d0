// Whether a backup is on the disk before its job is told to be done.

#include "jobs/effects.hpp"
#include "support/storefront/process.hpp"

#include <scalekit/db/client.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <sys/syscall.h>
#include <unistd.h>
#include <vector>

namespace {

/// What fsync() was called for, and nothing while it is null.
std::vector<std::string>* synced = nullptr;

}  // namespace

// In place of the C library's, which it does the work of.
extern "C" int fsync(int fd) {
  if (synced != nullptr) {
    synced->push_back(std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(fd)));
  }
  return static_cast<int>(::syscall(SYS_fsync, fd));
}

namespace {

using namespace storefront;

TEST_CASE("a backup and its name are on the disk when it is said to be written") {
  storefront_test::temporary_directory dir;
  const data_dir dirs(dir.path());
  auto db = scalekit::db::client::open(dirs.database_url());
  db.write(scalekit::db::sql("create table t (id integer primary key)"));
  std::vector<std::string> seen;

  synced = &seen;
  const auto bytes = write_backup(db, dirs, "7", "1");
  synced = nullptr;

  CHECK(bytes > 0);
  REQUIRE(seen.size() >= 2);
  CHECK(seen[seen.size() - 2] == dirs.backups / "7.db.1.tmp");
  CHECK(seen.back() == dirs.backups);
  CHECK(std::filesystem::exists(dirs.backups / "7.db"));
}

}  // namespace
