// Thousands of calls that are stopped or late, at every point where one can be.

#include "postgres_faults_loop.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/steady_timer.hpp>

#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <random>
#include <set>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

using namespace faults;

namespace {

constexpr const char* schema =
    "create table item (id int primary key, twice int);"
    "insert into item select i, 2 * i from generate_series(0, 999) i;"
    "create table written (id int primary key)";

/// What callers were told of their writes, and of wrong answers.
class ledger {
 public:
  void done(int id) { add(done_, id); }
  void undone(int id) { add(undone_, id); }
  void wrong(const std::string& what) {
    std::lock_guard lock(mutex_);
    ++wrong_;
    MESSAGE(what);
  }
  std::atomic<int> calls{0}, ended_early{0};

  void check(db::client& client) {
    CHECK(is_at_rest(client));
    const auto rows = client.read<std::int32_t>(sql("select id from written"));
    const std::set<int> made(rows.begin(), rows.end());
    for (const int id : done_) {
      if (!made.contains(id)) wrong("a write that was reported as done is missing");
    }
    for (const int id : undone_) {
      if (made.contains(id)) wrong("a write that was reported as undone was made");
    }
    CHECK(wrong_ == 0);
    CHECK(ended_early > 0);
    for (int i = 0; i < 100; ++i) {
      CHECK(client.read_one<std::int32_t>(sql("select twice from item where id = $1", i)) == 2 * i);
    }
    CHECK(is_at_rest(client));
    MESSAGE(calls, " calls, ", ended_early, " ended early, ", done_.size(), " writes done, ",
            undone_.size(), " undone");
  }

 private:
  void add(std::vector<int>& to, int id) {
    std::lock_guard lock(mutex_);
    to.push_back(id);
  }

  std::mutex mutex_;
  std::vector<int> done_, undone_;
  int wrong_ = 0;
};

enum class kind { shared_read, own_read, slow_read, write, slow_write, write_with_rows };

kind any_kind(std::mt19937& random) {
  constexpr std::array kinds{kind::shared_read, kind::shared_read,    kind::shared_read,
                             kind::own_read,    kind::slow_read,      kind::write,
                             kind::slow_write,  kind::write_with_rows};
  return kinds[random() % kinds.size()];
}

bool is_write(kind k) {
  return k >= kind::write;
}

db::statement statement_of(kind k, int id) {
  switch (k) {
    case kind::shared_read:
      return sql("select twice from item where id = $1", id);
    case kind::own_read:
      return sql("select twice + (random() * 0)::int from item where id = $1", id);
    case kind::slow_read:
      return sql("select twice from item, pg_sleep(0.001) where id = $1", id);
    case kind::write:
    case kind::write_with_rows:
      return sql("insert into written values ($1) returning id", id);
    case kind::slow_write:
      return sql("insert into written select $1::int from pg_sleep(0.001)", id);
  }
  return sql("select 1");
}

void note(ledger& to, kind k, int id, const std::exception_ptr& failure,
          const std::vector<std::int32_t>& rows) {
  ++to.calls;
  if (!failure) {
    if (is_write(k)) to.done(id);
    const int wanted = is_write(k) ? id : 2 * id;
    if ((!is_write(k) || !rows.empty()) && rows != std::vector<std::int32_t>{wanted}) {
      to.wrong("the answer of another call");
    }
    return;
  }
  const auto e = scalekit::to_error(failure);
  const bool in_doubt = scalekit::outcome_unknown(e);
  if (is_write(k) && !in_doubt) to.undone(id);
  if (e.code() == errc::cancelled || scalekit::is_timeout(e) || (in_doubt && is_write(k))) {
    ++to.ended_early;
  } else {
    to.wrong(e.what());
  }
}

}  // namespace

TEST_CASE("5000 blocking calls with random timeouts and stops leave nothing behind") {
  database d(schema);
  auto client = d.open(patient());
  REQUIRE(warm_up<std::int32_t>(client, statement_of(kind::shared_read, 1)));
  ledger book;
  constexpr int threads = 10, calls = 500;

  std::mutex mutex;
  std::array<std::stop_source, threads> current;
  std::vector<std::thread> callers;
  for (int t = 0; t < threads; ++t) {
    callers.emplace_back([&, t] {
      std::mt19937 random(static_cast<unsigned>(t));
      for (int i = 0; i < calls; ++i) {
        const auto k = any_kind(random);
        const int id = is_write(k) ? t * calls + i : static_cast<int>(random() % 1000);
        db::call_options options;
        if (random() % 2 == 0) {
          options.timeout = std::chrono::microseconds(random() % 3000);
        } else {
          std::lock_guard lock(mutex);
          current[static_cast<std::size_t>(t)] = std::stop_source();
          options.stop = current[static_cast<std::size_t>(t)].get_token();
        }
        std::exception_ptr failure;
        std::vector<std::int32_t> rows;
        try {
          if (k == kind::write || k == kind::slow_write) {
            client.write(statement_of(k, id), options);
          } else if (k == kind::write_with_rows) {
            rows = client.write<std::int32_t>(statement_of(k, id), options);
          } else {
            rows = client.read<std::int32_t>(statement_of(k, id), options);
          }
        } catch (...) {
          failure = std::current_exception();
        }
        note(book, k, id, failure, rows);
      }
    });
  }
  std::jthread stopper([&](const std::stop_token& over) {
    std::mt19937 random(99);
    while (!over.stop_requested()) {
      std::stop_source one(std::nostopstate);
      {
        std::lock_guard lock(mutex);
        one = current[random() % current.size()];
      }
      one.request_stop();
      std::this_thread::sleep_for(std::chrono::microseconds(random() % 500));
    }
  });
  for (auto& each : callers) each.join();
  stopper.request_stop();
  stopper.join();

  CHECK(book.calls == threads * calls);
  book.check(client);
}

namespace {

/// Makes one call after the other in an event loop, and cancels most of them.
class async_caller {
 public:
  async_caller(loop& l, db::client& client, ledger& book, int first_id, int calls,
               std::function<void()> over)
      : client_(client),
        book_(book),
        timer_(l.io()),
        random_(static_cast<unsigned>(first_id)),
        next_id_(first_id),
        left_(calls),
        over_(std::move(over)) {}

  void next() {
    if (left_-- == 0) return over_();
    kind_ = any_kind(random_);
    id_ = is_write(kind_) ? next_id_++ : static_cast<int>(random_() % 1000);
    db::call_options options;
    const auto after = std::chrono::microseconds(random_() % 3000);
    const auto turn = ++turn_;
    if (random_() % 3 == 0) {
      options.timeout = after;
    } else {
      timer_.expires_after(after);
      timer_.async_wait([this, turn](boost::system::error_code ec) {
        if (!ec && turn == turn_) signal_.emit(asio::cancellation_type::terminal);
      });
    }
    if (kind_ == kind::write || kind_ == kind::slow_write) {
      client_.async_write(statement_of(kind_, id_), options,
                          asio::bind_cancellation_slot(
                              signal_.slot(), [this](std::exception_ptr e,
                                                     const db::write_result&) { ended(e, {}); }));
    } else if (kind_ == kind::write_with_rows) {
      client_.async_write_returning<std::int32_t>(
          statement_of(kind_, id_), options,
          asio::bind_cancellation_slot(
              signal_.slot(), [this](std::exception_ptr e, const std::vector<std::int32_t>& rows) {
                ended(e, rows);
              }));
    } else {
      client_.async_read<std::int32_t>(
          statement_of(kind_, id_), options,
          asio::bind_cancellation_slot(
              signal_.slot(), [this](std::exception_ptr e, const std::vector<std::int32_t>& rows) {
                ended(e, rows);
              }));
    }
  }

 private:
  void ended(const std::exception_ptr& e, const std::vector<std::int32_t>& rows) {
    ++turn_;
    timer_.cancel();
    note(book_, kind_, id_, e, rows);
    // Not deeper and deeper, where it completes at once.
    asio::post(timer_.get_executor(), [this] { next(); });
  }

  db::client& client_;
  ledger& book_;
  asio::steady_timer timer_;
  asio::cancellation_signal signal_;
  std::mt19937 random_;
  int next_id_;
  int left_;
  std::function<void()> over_;
  kind kind_{};
  int id_ = 0;
  std::uint64_t turn_ = 0;
};

}  // namespace

TEST_CASE("5000 async calls with random timeouts and cancellations leave nothing behind") {
  database d(schema);
  loop l;
  auto client = d.open(patient(), l.execution());
  REQUIRE(warm_up<std::int32_t>(client, statement_of(kind::shared_read, 1)));
  ledger book;
  constexpr int callers = 50, calls = 100;

  std::promise<void> all_over;
  int running = callers;
  std::vector<std::unique_ptr<async_caller>> all;
  l.call([&] {
    for (int i = 0; i < callers; ++i) {
      all.push_back(std::make_unique<async_caller>(l, client, book, i * calls, calls, [&] {
        if (--running == 0) all_over.set_value();
      }));
      all.back()->next();
    }
  });
  all_over.get_future().get();

  CHECK(book.calls == callers * calls);
  book.check(client);
  l.call([&] { all.clear(); });
}

TEST_CASE("async calls of a foreign thread are answered as they are made") {
  database d(schema);
  loop l;
  auto client = d.open(patient(), l.execution());
  std::vector<std::thread> threads;
  std::atomic<int> wrong{0};

  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 200; ++i) {
        const int id = t * 200 + i;
        const auto k = i % 2 == 0 ? kind::own_read : kind::write_with_rows;
        const auto rows =
            i % 2 == 0
                ? client.async_read<std::int32_t>(statement_of(k, id), asio::use_future).get()
                : client.async_write_returning<std::int32_t>(statement_of(k, id), asio::use_future)
                      .get();
        if (rows != std::vector<std::int32_t>{i % 2 == 0 ? 2 * id : id}) ++wrong;
      }
    });
  }
  for (auto& t : threads) t.join();

  CHECK(wrong == 0);
  CHECK(is_at_rest(client));
}
