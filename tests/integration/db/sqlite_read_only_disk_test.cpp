#include "sqlite_fixture.hpp"
#include "support/may_mount.hpp"
#include "support/throws_errc.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <cerrno>
#include <string>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

// A file system that is read-only, or becomes so under an open client.

namespace {

/// As a journaling file system does that has met an error: files that are open for writing stay
/// so, and no write to them succeeds.
std::atomic<bool> writes_fail{false};

struct failing_writes {
  failing_writes() { writes_fail = true; }
  ~failing_writes() { writes_fail = false; }
};

}  // namespace

// In place of the C library's, which it does the work of: how SQLite writes its files.
extern "C" ssize_t pwrite64(int fd, const void* from, size_t count, off64_t at) {
  if (writes_fail) {
    errno = EROFS;
    return -1;
  }
  return ::syscall(SYS_pwrite64, fd, from, count, at);
}

using namespace scalekit;
using db::sql;
using support::error_of;

TEST_CASE("a disk that turns read-only under a client: reads go on, and no write is acknowledged") {
  notebook book;
  book.add("kept");
  // A reader that is open stays so; a new one could not be opened then.
  CHECK(book.count() == 1);
  {
    const failing_writes now;

    auto e = error_of([&] { book.add("lost"); });
    CHECK_MESSAGE((e.code() == errc::io_error || e.code() == errc::read_only), e.what());
    CHECK(book.count() == 1);
    auto tx = book.client.begin();
    CHECK_THROWS_AS(
        [&] {
          tx.write(sql("insert into entry (note) values ('lost too')"));
          tx.commit();
        }(),
        error);
    CHECK(book.count() == 1);
  }

  book.add("again");
  CHECK(book.client.read<std::string>(sql("select note from entry order by id")) ==
        std::vector<std::string>{"kept", "again"});
}

TEST_CASE("a database on a read-only file system is refused when it is opened, with its path") {
  support::temp_directory directory;
  const auto mount_point = directory.path().string();
  if (!support::may_mount(mount("tmpfs", mount_point.c_str(), "tmpfs", 0, "size=4m") == 0)) return;
  const auto file = directory.file("shop.db");
  auto open = [&] { return db::client::open("sqlite://" + file); };
  auto remount = [&](unsigned long flags) {
    return mount(nullptr, mount_point.c_str(), nullptr, MS_REMOUNT | flags, nullptr) == 0;
  };
  open().run_script("create table entry (id integer primary key)");
  CHECK(remount(MS_RDONLY));

  auto e = error_of([&] { open(); });

  CHECK_MESSAGE((e.code() == errc::read_only || e.code() == errc::unavailable), e.what());
  CHECK(support::contains(e.what(), file));
  CHECK(remount(0));
  CHECK(open().read_one<int>(sql("select count(*) from entry")) == 0);
  umount2(mount_point.c_str(), MNT_DETACH);
}
