// Thousands of single statements that are stopped or late, at every point where one can be.

#include "crowd.hpp"
#include "postgres_faults_callers.hpp"
#include "postgres_faults_ledger.hpp"

#include <array>
#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

using namespace faults;
using support::fewer_under_sanitizer;

namespace {

enum class kind {
  shared_read,
  own_read,
  slow_read,
  read_each,
  write,
  slow_write,
  write_with_rows,
};

using numbers = std::vector<std::int32_t>;

kind any_kind(std::mt19937& random) {
  constexpr std::array kinds{kind::shared_read, kind::shared_read, kind::shared_read,
                             kind::own_read,    kind::slow_read,   kind::read_each,
                             kind::write,       kind::slow_write,  kind::write_with_rows};
  return kinds[random() % kinds.size()];
}

bool is_write(kind k) {
  return k >= kind::write;
}

db::statement statement_of(kind k, int id) {
  switch (k) {
    case kind::shared_read:
      return twice_of(id);
    case kind::own_read:
      return own_twice_of(id);
    case kind::slow_read:
      return sql("select twice from item, pg_sleep(0.001) where id = $1", id);
    case kind::read_each:
      return many_twice_of(id);
    case kind::write:
    case kind::write_with_rows:
      return insert(id);
    case kind::slow_write:
      return sql("insert into written select $1::int from pg_sleep(0.001)", id);
  }
  return sql("select 1");
}

/// The rows of a read of which all are to be the same.
auto distinct(numbers& rows) {
  return [&rows](std::int32_t n) {
    if (rows.empty() || rows.back() != n) rows.push_back(n);
  };
}

struct call {
  kind what;
  int id;

  call(int number, std::mt19937& random)
      : what(any_kind(random)), id(is_write(what) ? number : static_cast<int>(random() % 1000)) {}

  db::statement query() const { return statement_of(what, id); }

  void note(ledger& to, const std::exception_ptr& failure, const numbers& rows) const {
    to.note(failure, {id, is_write(what) ? 1 : 0});
    if (failure || (is_write(what) && rows.empty())) return;
    if (rows != numbers{is_write(what) ? id : 2 * id}) to.wrong("the answer of another call");
  }
};

numbers run(db::client& client, const call& c, const db::call_options& options) {
  numbers rows;
  switch (c.what) {
    case kind::write:
    case kind::slow_write:
      client.write(c.query(), options);
      return rows;
    case kind::write_with_rows:
      return client.write<std::int32_t>(c.query(), options);
    case kind::read_each:
      client.read_each<std::int32_t>(c.query(), distinct(rows), options);
      return rows;
    default:
      return client.read<std::int32_t>(c.query(), options);
  }
}

void start(db::client& client, const call& c, async_caller& by, ledger& book) {
  const auto options = by.how().in<db::call_options>();
  auto note_rows = by.handler(
      [c, &book](const std::exception_ptr& e, const numbers& rows) { c.note(book, e, rows); });
  switch (c.what) {
    case kind::write:
    case kind::slow_write:
      client.async_write(c.query(), options,
                         by.handler([c, &book](const std::exception_ptr& e,
                                               const db::write_result&) { c.note(book, e, {}); }));
      return;
    case kind::write_with_rows:
      client.async_write_returning<std::int32_t>(c.query(), options, std::move(note_rows));
      return;
    case kind::read_each: {
      const auto rows = std::make_shared<numbers>();
      client.async_read_each<std::int32_t>(
          c.query(), [rows](std::int32_t n) { distinct (*rows)(n); }, options,
          by.handler([c, &book, rows](const std::exception_ptr& e, std::uint64_t) {
            c.note(book, e, *rows);
          }));
      return;
    }
    default:
      client.async_read<std::int32_t>(c.query(), options, std::move(note_rows));
  }
}

/// Callers without limits, beside all the others: nothing that is cancelled is theirs.
class bystanders {
 public:
  explicit bystanders(db::client client) : client_(std::move(client)) {}

  void check() {
    callers_.leave();
    CHECK(calls_ > 0);
    CHECK(wrong_ == 0);
  }

 private:
  void call() {
    const auto id = calls_++ % 1000;
    try {
      const numbers twice{2 * id};
      const bool is_right = client_.read<std::int32_t>(own_twice_of(id)) == twice &&
                            client_.read<std::int32_t>(twice_of(id)) == twice;
      if (!is_right) ++wrong_;
      client_.write(sql("update item set twice = twice where id = $1", id));
    } catch (const std::exception& e) {
      ++wrong_;
      MESSAGE("a caller without limits was told: ", e.what());
    }
    std::this_thread::sleep_for(1ms);
  }

  db::client client_;
  std::atomic<int> wrong_{0}, calls_{0};
  db_test::crowd callers_{2, [this] { call(); }};
};

/// So many calls end early in each of the two tests, ten thousand together.
const int enough = fewer_under_sanitizer(5000);

/// How many of a storm do depends on the machine.
bool wants_more(const ledger& book, const storm& next) {
  return book.ended_early() < enough && next.first < 20 * enough;
}

/// The server has the sessions that the pool knows of, and none that a call has left.
bool has_no_other_sessions(const database& d, const db::client& client) {
  return wait_until([&] {
    const auto pool = client.statistics().writer;
    return d.query_one(
               "select count(*) from pg_stat_activity where backend_type = 'client backend' and "
               "pid <> pg_backend_pid() and datname = current_database()") ==
           std::to_string(pool.busy + pool.idle);
  });
}

}  // namespace

TEST_CASE("thousands of blocking calls with random timeouts and stops leave nothing behind") {
  database d(item_schema);
  auto client = d.open(patient());
  REQUIRE(warm_up<std::int32_t>(client, twice_of(1)));
  ledger book;
  bystanders beside(client);
  storm s{.callers = 10, .calls = fewer_under_sanitizer(500), .longest = 3ms};

  while (wants_more(book, s)) {
    run_callers(s, [&](int number, const limits& how, std::mt19937& random) {
      const call c(number, random);
      numbers rows;
      const auto failure = failure_of([&] { rows = run(client, c, how.in<db::call_options>()); });
      c.note(book, failure, rows);
    });
    s.first += s.callers * s.calls;
  }

  beside.check();
  CHECK(book.ended_early() >= enough);
  CHECK(book.calls == s.first);
  book.check(client);
  CHECK(is_still(shared_server(), d.name()));
  CHECK(has_no_other_sessions(d, client));
}

TEST_CASE("thousands of async calls with random timeouts and cancellations leave nothing behind") {
  database d(item_schema);
  loop l;
  auto client = d.open(patient(), l.execution());
  REQUIRE(warm_up<std::int32_t>(client, twice_of(1)));
  ledger book;
  bystanders beside(client);
  storm s{.callers = 50, .calls = fewer_under_sanitizer(100), .longest = 3ms};

  while (wants_more(book, s)) {
    run_async_callers(
        l, s, [&](async_caller& by) { start(client, call(by.number(), by.random()), by, book); });
    s.first += s.callers * s.calls;
  }

  beside.check();
  CHECK(book.ended_early() >= enough);
  CHECK(book.calls == s.first);
  book.check(client);
  CHECK(is_still(shared_server(), d.name()));
  CHECK(has_no_other_sessions(d, client));
}

TEST_CASE("async calls of a foreign thread are answered as they are made") {
  database d(item_schema);
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
        if (rows != numbers{i % 2 == 0 ? 2 * id : id}) ++wrong;
      }
    });
  }
  for (auto& t : threads) t.join();

  CHECK(wrong == 0);
  CHECK(is_at_rest(client));
}
