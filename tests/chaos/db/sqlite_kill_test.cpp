#include "integration/db/sqlite_fixture.hpp"
#include "support/child_process.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <set>
#include <signal.h>
#include <string>
#include <string_view>
#include <thread>

// kill -9 of a process that writes: what it acknowledged is there, and nothing is there by half.

using namespace scalekit;
using namespace std::chrono_literals;
using db::sql;

TEST_CASE("what a killed writer acknowledged is there, each of its transactions whole") {
  notebook book;
  int rounds_with_rows = 0;
  for (int round = 0; round < 8; ++round) {
    book.client.write(sql("delete from pair"));
    int acknowledged = -1;
    {
      support::child_process writer({DB_TEST_PEER, "insert_pairs", book.file});
      std::jthread killer([&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(15 + 9 * round));
        writer.send_signal(SIGKILL);
      });
      for (auto line = writer.read_line(); !line.empty(); line = writer.read_line()) {
        acknowledged = std::stoi(line);
      }
      killer.join();
      CHECK(writer.wait() == -SIGKILL);
    }

    auto halves = book.client.read<std::int64_t>(
        sql("select count(*) from pair group by number having count(*) <> 2"));
    auto last =
        book.client.read_one<std::optional<std::int64_t>>(sql("select max(number) from pair"));
    CHECK(halves.empty());
    CHECK(last.value_or(-1) >= acknowledged);
    // At most the one whose acknowledgement the kill cut off.
    CHECK(last.value_or(-1) <= acknowledged + 1);
    rounds_with_rows += acknowledged >= 0 ? 1 : 0;
  }
  CHECK(rounds_with_rows > 0);
  CHECK(book.client.read_one<std::string>(sql("pragma integrity_check")) == "ok");
}

TEST_CASE("what many writers that shared their commits acknowledged is there after a kill") {
  constexpr std::size_t writers = 16;
  const std::string_view ending = " is there";
  notebook book;
  int rounds_with_rows = 0;
  for (int round = 0; round < 6; ++round) {
    book.client.write(sql("delete from entry"));
    book.client.write(sql("insert into entry (id, note) values (1, 'first')"));
    std::set<std::string> acknowledged{"first"};
    {
      support::child_process writer(
          {DB_TEST_PEER, "insert_many", book.file, std::to_string(writers)});
      std::jthread killer([&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(25 + 40 * round));
        writer.send_signal(SIGKILL);
      });
      for (auto line = writer.read_line(); line.ends_with(ending); line = writer.read_line()) {
        acknowledged.insert(line.substr(0, line.size() - ending.size()));
      }
      killer.join();
      CHECK(writer.wait() == -SIGKILL);
    }

    auto notes = book.client.read<std::string>(sql("select note from entry"));
    std::set<std::string> there(notes.begin(), notes.end());
    CHECK(there.size() == notes.size());
    CHECK(std::includes(there.begin(), there.end(), acknowledged.begin(), acknowledged.end()));
    // At most one each, whose acknowledgement the kill cut off.
    CHECK(there.size() <= acknowledged.size() + writers);
    rounds_with_rows += acknowledged.size() > 1 ? 1 : 0;
  }
  CHECK(rounds_with_rows > 0);
  CHECK(book.client.read_one<std::string>(sql("pragma integrity_check")) == "ok");
}

TEST_CASE("a writer killed inside a transaction leaves nothing, and does not block the next") {
  notebook book;
  book.add("before");
  support::child_process writer({DB_TEST_PEER, "half_done", book.file});
  REQUIRE(writer.read_line() == "ready");

  writer.send_signal(SIGKILL);
  writer.wait();
  book.add("after", {.timeout = 5s});

  CHECK(book.client.read<std::string>(sql("select note from entry order by id")) ==
        std::vector<std::string>{"before", "after"});
}
