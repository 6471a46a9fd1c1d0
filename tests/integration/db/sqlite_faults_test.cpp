#include "sqlite_fixture.hpp"
#include "support/child_process.hpp"
#include "support/event_log.hpp"
#include "support/may_mount.hpp"
#include "support/throws_errc.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <sys/mount.h>
#include <unistd.h>
#include <vector>

// Files that are damaged, full, read-only or not there.

namespace fs = std::filesystem;
using namespace scalekit;
using db::sql;
using support::contains;
using support::error_of;

namespace {

db::client open(const std::string& file, const std::string& query = "") {
  return db::client::open("sqlite://" + file + query);
}

void fill(notebook& book, int rows) {
  book.client.transaction([&](db::transaction& tx) {
    for (int i = 0; i < rows; ++i) {
      tx.write(sql("insert into entry (note) values ($1)", std::string(500, 'x')));
    }
  });
}

}  // namespace

TEST_CASE("a file that is no database is corrupt") {
  support::temp_directory directory;
  auto file = directory.file("garbage.db");
  std::ofstream(file) << std::string(8192, 'g');

  auto e = error_of([&] { open(file); });

  CHECK(e.code() == errc::corrupt);
  CHECK(e.diag().origin == file);
  CHECK(contains(e.what(), "backup"));
}

TEST_CASE("a damaged page is found when it is read, and other tables still work") {
  notebook book;
  // Its page comes before those of the notes.
  book.client.run_script("create table sound (id integer primary key)");
  book.client.write(sql("insert into sound values (7)"));
  fill(book, 200);
  book.client.close();
  {
    std::fstream file(book.file, std::ios::in | std::ios::out | std::ios::binary);
    for (int page = 4; page < 20; ++page) {
      file.seekp(page * 4096);
      file << std::string(4096, '\xff');
    }
  }

  support::event_log heard;
  auto client = db::client::open("sqlite://" + book.file, {.log = heard.sink()});
  CHECK(heard.count("db.open") == 1);

  CHECK_ERRC(client.read<std::string>(sql("select note from entry")), errc::corrupt);
  REQUIRE(heard.count("db.corrupt") == 1);
  CHECK(heard.find("db.corrupt")->fields.at("path") == book.file);
  CHECK_ERRC(client.read<std::string>(sql("select note from entry")), errc::corrupt);
  CHECK(client.read_one<int>(sql("select id from sound")) == 7);
  client.write(sql("insert into sound values (8)"));
  CHECK(client.read<int>(sql("select id from sound")) == std::vector<int>{7, 8});
}

TEST_CASE("a file whose end is missing is corrupt or unreadable, never silently short") {
  notebook book;
  fill(book, 200);
  book.client.close();
  fs::resize_file(book.file, fs::file_size(book.file) / 2);

  auto e = error_of([&] { open(book.file).read<std::string>(sql("select note from entry")); });

  CHECK((e.code() == errc::corrupt || e.code() == errc::io_error));
}

TEST_CASE("a directory or a file that is not there is unavailable") {
  support::temp_directory directory;

  CHECK_ERRC(open(directory.file("no/such/shop.db")), errc::unavailable);
  CHECK_ERRC(open(directory.file("shop.db"), "?mode=rw"), errc::unavailable);
  CHECK_ERRC(open(directory.file("shop.db"), "?mode=ro"), errc::unavailable);
  CHECK_ERRC(open(directory.path().string()), errc::unavailable);
  CHECK_FALSE(fs::exists(directory.file("shop.db")));
}

TEST_CASE("a file opened read-only is read, and a write says what it is") {
  notebook book;
  book.add("one");
  auto client = open(book.file, "?mode=ro");

  CHECK(client.read_one<std::int64_t>(sql("select count(*) from entry")) == 1);
  CHECK_ERRC(client.write(sql("insert into entry (note) values ('x')")), errc::read_only);
}

TEST_CASE("a file that belongs to somebody else is read, and a write says what it is") {
  if (getuid() != 0) {
    MESSAGE("skipped: only root may act as somebody else");
    return;
  }
  notebook book;
  book.add("one");
  fs::permissions(book.directory.path(), fs::perms{0755});
  support::child_process nobody({DB_TEST_PEER, "as_nobody", book.file});

  auto opened = nobody.read_line();
  if (opened == "cannot") {
    MESSAGE("skipped: may not act as somebody else here");
    return;
  }
  if (opened == "ok") {
    CHECK(nobody.read_line() == "ok");
    CHECK(nobody.read_line() == make_error_code(errc::read_only).message());
  } else {
    CHECK(opened == make_error_code(errc::unavailable).message());
  }
}

TEST_CASE(
    "a database at its largest size is disk_full, and what it holds can be read and deleted") {
  support::temp_directory directory;
  auto client = open(directory.file("small.db"), "?max_database_bytes=64KiB");
  client.run_script("create table entry (id integer primary key, note text not null)");
  const std::string note(1000, 'x');
  std::int64_t stored = 0;

  auto e = error_of([&] {
    for (;; ++stored) client.write(sql("insert into entry (note) values ($1)", note));
  });

  CHECK(e.code() == errc::disk_full);
  CHECK(stored > 10);
  CHECK(client.read_one<std::int64_t>(sql("select count(*) from entry")) == stored);
  client.write(sql("delete from entry"));
  client.write(sql("insert into entry (note) values ($1)", note));
}

TEST_CASE("a transaction that meets a full disk is over, says so, and has left nothing") {
  support::temp_directory directory;
  auto client = open(directory.file("small.db"), "?max_database_bytes=64KiB");
  client.run_script("create table entry (id integer primary key, note text not null)");
  auto tx = client.begin();
  tx.write(sql("insert into entry (note) values ('first')"));

  CHECK_ERRC(tx.write(sql("insert into entry (note) values ($1)", std::string(200'000, 'x'))),
             errc::disk_full);
  if (!tx.is_open()) {
    auto e = error_of([&] { tx.commit(); });
    CHECK(e.code() == errc::not_allowed);
    CHECK(contains(e.what(), "rolled back"));
  }
  tx.rollback();

  CHECK(client.read_one<std::int64_t>(sql("select count(*) from entry")) == 0);
}

TEST_CASE("a full file system is disk_full and loses nothing that was acknowledged") {
  support::temp_directory directory;
  const auto mount_point = directory.path().string();
  if (!support::may_mount(mount("tmpfs", mount_point.c_str(), "tmpfs", 0, "size=256k") == 0))
    return;
  {
    auto client = open(directory.file("shop.db"));
    client.run_script("create table entry (id integer primary key, note text not null)");
    std::int64_t acknowledged = 0;

    auto e = error_of([&] {
      for (;; ++acknowledged) {
        client.write(sql("insert into entry (note) values ($1)", std::string(3000, 'x')));
      }
    });

    CHECK((e.code() == errc::disk_full || e.code() == errc::io_error));
    CHECK(client.read_one<std::int64_t>(sql("select count(*) from entry")) == acknowledged);
    client.close();
  }
  umount(mount_point.c_str());
}
