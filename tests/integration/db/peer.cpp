// The other process of the tests: `db_test_peer COMMAND FILE [N]`, or a URL instead of the file.
// Says what happened on standard output, a line each.

#include "scalekit/db.hpp"

#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <string>
#include <string_view>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace db = scalekit::db;
using db::sql;
using namespace std::chrono_literals;

namespace {

void say(const std::string& line) {
  std::puts(line.c_str());
  std::fflush(stdout);
}

void wait_for_end_of_input() {
  while (std::getchar() != EOF) {
  }
}

db::client open(const std::string& file) {
  return db::client::open("sqlite://" + file, {.statement_timeout = 20s});
}

/// Holds the write lock until its input ends.
void hold(const std::string& file) {
  auto client = open(file);
  auto tx = client.begin();
  tx.write(sql("insert into entry (note) values ('held')"));
  say("ready");
  wait_for_end_of_input();
  tx.commit();
}

/// Inserts `n` rows, a transaction each; says each number once it is committed.
void insert(const std::string& file, int n) {
  auto client = open(file);
  for (int i = 0; i < n; ++i) {
    client.write(sql("insert into entry (note) values ($1)", "row " + std::to_string(i)));
    say(std::to_string(i));
  }
}

/// Inserts pairs of rows for ever, a transaction each; says a pair's number once it is committed.
void insert_pairs(const std::string& file) {
  auto client = open(file);
  for (int i = 0;; ++i) {
    client.transaction([i](db::transaction& tx) {
      tx.write(sql("insert into pair (number, half) values ($1, 1)", i));
      tx.write(sql("insert into pair (number, half) values ($1, 2)", i));
    });
    say(std::to_string(i));
  }
}

/// Inserts rows for ever from `n` threads, one write each; says each row's note once it is done.
void insert_many(const std::string& file, int n) {
  auto client = open(file);
  std::mutex mutex;
  std::vector<std::jthread> threads;
  for (int t = 0; t < n; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0;; ++i) {
        auto note = std::to_string(t) + "/" + std::to_string(i);
        // Every now and then one that breaks its group up.
        if (i % 50 == 49) {
          try {
            client.write(sql("insert or rollback into entry (id, note) values (1, 'twice')"));
          } catch (const scalekit::error&) {
          }
        }
        client.write(sql("insert into entry (note) values ($1)", note));
        std::lock_guard lock(mutex);
        say(note + " is there");
      }
    });
  }
}

/// Begins a transaction, changes much, and waits to be killed.
void half_done(const std::string& file) {
  auto client = open(file);
  auto tx = client.begin();
  // Enough for pages of it to be in the WAL already.
  tx.write(
      sql("with recursive n(i) as (select 1 union all select i + 1 from n where i < 200000)"
          " insert into entry (note) select 'uncommitted ' || i from n"));
  say("ready");
  wait_for_end_of_input();
}

void migrate(const std::string& file) {
  auto client = open(file);
  const std::vector<std::string_view> steps{
      "create table if not exists entry (id integer primary key, note text not null)",
      "insert into entry (note) values ('migrated')"};
  say(std::to_string(client.migrate("peer", steps)));
}

/// Reads from `n` threads for ever; `url` leads to PostgreSQL. Says when the first is done.
void load(const std::string& url, int n) {
  auto client = db::client::open(url);
  client.read_one<int>(sql("select 1"));
  say("ready");
  std::vector<std::jthread> threads;
  for (int t = 0; t < n; ++t) {
    threads.emplace_back([&] {
      for (;;) {
        try {
          client.read_one<int>(sql("select 1 from pg_sleep(0.005)"));
        } catch (const scalekit::error&) {
          // Turned away: it comes again.
        }
      }
    });
  }
}

/// Reads and writes as a user who owns nothing.
void as_nobody(const std::string& file) {
  if (setgid(65534) != 0 || setuid(65534) != 0) return say("cannot");
  auto attempt = [](auto&& action) {
    try {
      action();
      say("ok");
    } catch (const scalekit::error& e) {
      say(e.code().message());
    }
  };
  std::optional<db::client> client;
  attempt([&] { client = open(file); });
  if (!client) return;
  attempt([&] { client->read<std::int64_t>(sql("select count(*) from entry")); });
  attempt([&] { client->write(sql("insert into entry (note) values ('x')")); });
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc < 3) return 2;
  const std::string_view command = argv[1];
  const std::string file = argv[2];
  if (command == "hold") hold(file);
  if (command == "insert") insert(file, std::atoi(argv[3]));
  if (command == "insert_pairs") insert_pairs(file);
  if (command == "insert_many") insert_many(file, std::atoi(argv[3]));
  if (command == "load") load(file, std::atoi(argv[3]));
  if (command == "half_done") half_done(file);
  if (command == "migrate") migrate(file);
  if (command == "as_nobody") as_nobody(file);
  return 0;
} catch (const std::exception& e) {
  say(std::string("failed: ") + e.what());
  return 1;
}
