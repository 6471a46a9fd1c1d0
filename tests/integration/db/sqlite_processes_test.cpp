#include "sqlite_fixture.hpp"
#include "support/child_process.hpp"
#include "support/throws_errc.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <memory>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

// Several processes on one file.

using namespace scalekit;
using namespace std::chrono_literals;
using db::sql;
using support::child_process;
using support::contains;
using support::error_of;

TEST_CASE("a write waits for another process to let go of the file, and then goes through") {
  notebook book;
  child_process other({DB_TEST_PEER, "hold", book.file});
  REQUIRE(other.read_line() == "ready");
  std::jthread release([&] {
    std::this_thread::sleep_for(30ms);
    other.end_input();
  });

  book.add("mine", {.timeout = 20s});

  CHECK(other.wait() == 0);
  CHECK(book.count() == 2);
}

TEST_CASE("waiting for another process ends with the timeout, and the error says so") {
  notebook book;
  child_process other({DB_TEST_PEER, "hold", book.file});
  REQUIRE(other.read_line() == "ready");

  auto write = error_of([&] { book.add("late", {.timeout = 30ms}); });
  auto begin = error_of([&] { book.client.begin({.timeout = 30ms}); });

  CHECK(write.code() == errc::execution_timeout);
  CHECK(begin.code() == errc::execution_timeout);
  CHECK(contains(write.what(), "another process held the write lock"));
  CHECK(contains(write.what(), book.file));
  CHECK(book.count() == 0);
  other.end_input();
  CHECK(other.wait() == 0);
  book.add("now");
}

TEST_CASE("waiting for another process can be cancelled") {
  notebook book;
  child_process other({DB_TEST_PEER, "hold", book.file});
  REQUIRE(other.read_line() == "ready");
  std::stop_source stop;
  std::jthread stopper([&] {
    std::this_thread::sleep_for(20ms);
    stop.request_stop();
  });

  CHECK_ERRC(book.add("late", {.timeout = 20s, .stop = stop.get_token()}), errc::cancelled);
}

TEST_CASE("processes that write at the same time lose nothing") {
  notebook book;
  constexpr int each = 100;
  std::vector<std::unique_ptr<child_process>> others;
  for (int i = 0; i < 3; ++i) {
    others.push_back(std::make_unique<child_process>(
        std::vector<std::string>{DB_TEST_PEER, "insert", book.file, std::to_string(each)}));
  }

  for (int i = 0; i < each; ++i) book.add("mine", {.timeout = 20s});
  for (auto& other : others) {
    for (int i = 0; i < each; ++i) CHECK(other->read_line() == std::to_string(i));
    CHECK(other->wait() == 0);
  }

  CHECK(book.count() == 4 * each);
}

TEST_CASE("processes that create and migrate a file together take turns") {
  support::temp_directory directory;
  const auto file = directory.file("new.db");
  std::vector<std::unique_ptr<child_process>> all;
  for (int i = 0; i < 6; ++i) {
    all.push_back(
        std::make_unique<child_process>(std::vector<std::string>{DB_TEST_PEER, "migrate", file}));
  }

  int steps = 0;
  for (auto& one : all) {
    auto line = one->read_line();
    CHECK_MESSAGE((line == "0" || line == "2"), line);
    steps += line == "2" ? 2 : 0;
    CHECK(one->wait() == 0);
  }

  CHECK(steps == 2);
}

TEST_CASE("a forked child is told that the client is its parent's, and the parent goes on") {
  notebook book;
  auto tx = book.client.begin();
  tx.write(sql("insert into entry (note) values ('parent')"));

  pid_t pid = fork();
  if (pid == 0) {
    auto refused = [](auto&& action) {
      try {
        action();
      } catch (const error& e) {
        return e.code() == errc::forked;
      }
      return false;
    };
    bool ok = refused([&] { book.client.read<int>(sql("select 1")); }) &&
              refused([&] { book.client.begin(); }) && refused([&] { tx.commit(); });
    // What the child inherited ends without touching the file.
    { auto inherited = std::move(tx); }
    _exit(ok ? 0 : 1);
  }
  int status = 0;
  waitpid(pid, &status, 0);

  CHECK(status == 0);
  tx.commit();
  CHECK(book.count() == 1);
}
