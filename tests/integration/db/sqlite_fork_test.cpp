#include "sqlite_fixture.hpp"

#include <doctest/doctest.h>

#include <stdexcept>
#include <string>
#include <sys/wait.h>
#include <unistd.h>

// A child of fork() that unwinds through what its parent had open.

using namespace scalekit;
using db::sql;

TEST_CASE("a forked child that leaves a savepoint does not undo it for its parent") {
  notebook book;
  // More than SQLite keeps in memory: a part of it is in the file's log, which both have mapped.
  constexpr int notes = 4000;
  const std::string note(4000, 'n');
  auto tx = book.client.begin();
  pid_t child = -1;

  try {
    tx.savepoint([&] {
      for (int i = 0; i < notes; ++i) tx.write(sql("insert into entry (note) values ($1)", note));
      child = fork();
      if (child == 0) throw std::runtime_error("the child unwinds");
    });
  } catch (const std::runtime_error&) {
    _exit(child == 0 ? 0 : 1);
  }
  int status = -1;
  waitpid(child, &status, 0);

  CHECK(status == 0);
  CHECK(tx.read_one<std::int64_t>(sql("select count(*) from entry")) == notes);
  tx.commit();
  CHECK(book.count() == notes);
  CHECK(book.client.read_one<std::string>(sql("select max(note) from entry")) == note);
}
