#include "integration/db/sqlite_fixture.hpp"
#include "support/child_process.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <set>
#include <signal.h>
#include <string>
#include <string_view>

// kill -9 of a process that writes: what it acknowledged is there, and nothing is there by half.

using namespace scalekit;
using namespace std::chrono_literals;
using db::sql;

TEST_CASE("what a killed writer acknowledged is there, each of its transactions whole") {
  notebook book;
  for (int round = 0; round < 8; ++round) {
    book.client.write(sql("delete from pair"));
    int acknowledged = -1;
    {
      support::child_process writer({DB_TEST_PEER, "insert_pairs", book.file});
      for (auto line = writer.read_line(); !line.empty(); line = writer.read_line()) {
        acknowledged = std::stoi(line);
        if (acknowledged == 5 * round) writer.send_signal(SIGKILL);
      }
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
    CHECK(acknowledged >= 5 * round);
  }
  CHECK(book.client.read_one<std::string>(sql("pragma integrity_check")) == "ok");
}

TEST_CASE("what many writers that shared their commits acknowledged is there after a kill") {
  constexpr std::size_t writers = 16;
  const std::string_view ending = " is there";
  notebook book;
  for (std::size_t round = 0; round < 6; ++round) {
    book.client.write(sql("delete from entry"));
    book.client.write(sql("insert into entry (id, note) values (1, 'first')"));
    std::set<std::string> acknowledged{"first"};
    {
      support::child_process writer(
          {DB_TEST_PEER, "insert_many", book.file, std::to_string(writers)});
      for (auto line = writer.read_line(); line.ends_with(ending); line = writer.read_line()) {
        acknowledged.insert(line.substr(0, line.size() - ending.size()));
        if (acknowledged.size() == 2 + 50 * round) writer.send_signal(SIGKILL);
      }
      CHECK(writer.wait() == -SIGKILL);
    }

    auto notes = book.client.read<std::string>(sql("select note from entry"));
    std::set<std::string> there(notes.begin(), notes.end());
    CHECK(there.size() == notes.size());
    CHECK(std::includes(there.begin(), there.end(), acknowledged.begin(), acknowledged.end()));
    // At most one each, whose acknowledgement the kill cut off.
    CHECK(there.size() <= acknowledged.size() + writers);
    CHECK(acknowledged.size() >= 2 + 50 * round);
  }
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
