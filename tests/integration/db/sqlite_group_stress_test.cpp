#include "sqlite_fixture.hpp"

#include <boost/asio/use_future.hpp>
#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <mutex>
#include <random>
#include <set>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

// Shared commits among many callers who give up, fail and close at random.

namespace asio = boost::asio;
using namespace scalekit;
using namespace std::chrono_literals;
using db::sql;

TEST_CASE("closing while a group runs: who was told that it is done is there, nobody else") {
  notebook book;
  std::atomic<int> acknowledged{0};
  std::vector<std::jthread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&] {
      try {
        for (;;) {
          book.add("x");
          ++acknowledged;
        }
      } catch (const error& e) {
        CHECK(e.code() == errc::closed);
      }
    });
  }
  while (book.client.statistics().shared_commits < 5) std::this_thread::yield();

  book.client.close(0ms);
  threads.clear();

  CHECK(book.open().read_one<int>(sql("select count(*) from entry")) == acknowledged.load());
}

TEST_CASE("groups cancelled, timed out and broken up at random tell every caller the truth") {
  notebook book(
      {.max_waiting = 100'000, .sqlite = {.readers = 1, .synchronous = db::synchronous_mode::off}});
  book.client.run_script(
      "create unique index single on entry (note);"
      "create table child (entry integer references entry deferrable initially deferred)");
  book.add("taken");
  std::mutex mutex;
  std::set<std::string> done{"taken"};
  std::vector<std::jthread> threads;
  for (unsigned t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      std::mt19937 random(t);
      for (int i = 0; i < 150; ++i) {
        auto note = std::to_string(t) + "/" + std::to_string(i);
        std::stop_source stop;
        db::call_options options{.timeout = std::chrono::microseconds(random() % 100'000),
                                 .stop = stop.get_token()};
        auto insert = sql("insert into entry (note) values ($1)", note);
        std::future<db::write_result> async;
        std::jthread stopper;
        bool told = true;
        try {
          switch (random() % 8) {
            case 0:
              insert = sql("insert or rollback into entry (note) values ($1), ('taken')", note);
              break;
            case 1:
              insert = sql("insert into entry (note) values ($1), ('taken')", note);
              break;
            case 2:
              insert = sql("insert into child values (-1)");
              break;
            case 3:
              // Slow, so that it is stopped half way.
              insert =
                  sql("insert into entry (note) with recursive n(i) as"
                      " (select 1 union all select i + 1 from n where i < 30000)"
                      " select $1 || (max(i) - max(i)) from n",
                      note);
              note += "0";
              break;
            default:
              break;
          }
          if (random() % 2 == 0) {
            async = book.client.async_write(insert, options, asio::use_future);
            if (random() % 3 == 0) stop.request_stop();
            async.get();
          } else {
            if (random() % 3 == 0) {
              stopper = std::jthread([&stop, pause = random() % 500] {
                std::this_thread::sleep_for(std::chrono::microseconds(pause));
                stop.request_stop();
              });
            }
            book.client.write(insert, options);
          }
        } catch (const error& e) {
          told = false;
          bool expected = is_timeout(e.code()) || e.code() == errc::cancelled ||
                          e.code() == errc::constraint_violation;
          CHECK_MESSAGE(expected, e.what());
        }
        std::lock_guard lock(mutex);
        if (told) done.insert(note);
      }
    });
  }
  threads.clear();

  auto there = book.client.read<std::string>(sql("select note from entry"));
  CHECK(std::set<std::string>(there.begin(), there.end()) == done);
  auto stats = book.client.statistics();
  CHECK(stats.shared_commits > 0);
  CHECK(stats.groups_broken_up > 0);
  CHECK(stats.writer.waiting == 0);
  CHECK(book.client.read_one<int>(sql("select count(*) from child")) == 0);
}
