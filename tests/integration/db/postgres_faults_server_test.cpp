// What a server does to its clients.

#include "postgres_faults_loop.hpp"

#include <array>
#include <atomic>
#include <functional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace faults;
using support::postgres::server;
using support::postgres::stop_mode;

namespace {

constexpr const char* schema =
    "create table item (id int primary key);"
    "insert into item select generate_series(0, 99);"
    "create table written (id int primary key)";

db::statement by_id(int id) {
  return sql("select id from item where id = $1", id);
}

/// Callers of every kind, until it dies. They may fail as long as the server does; what they are
/// told must be true.
class load {
 public:
  explicit load(db::client& client) : client_(client) {
    for (int t = 0; t < 4; ++t) threads_.emplace_back([this, t] { read(t); });
    threads_.emplace_back([this] { read_async(); });
    threads_.emplace_back([this] { write(); });
  }
  ~load() { stop(); }
  load(const load&) = delete;
  load& operator=(const load&) = delete;

  void stop() {
    stopping_ = true;
    for (auto& t : threads_) {
      if (t.joinable()) t.join();
    }
  }

  /// Until reads and writes have gone on after this call.
  bool goes_on() {
    const int reads = read_, writes = written_;
    return wait_until([&] { return read_ > reads + 20 && written_ > writes + 2; });
  }

  /// From now on writes may be refused for that; returns when some were.
  bool is_refused_room() {
    is_disk_full_ = true;
    return wait_until([&] { return refused_ > 3; });
  }

  /// After stop().
  void check() {
    std::vector<char> made(done_.size());
    for (const auto id : client_.read<std::int32_t>(sql("select id from written"))) {
      if (static_cast<std::size_t>(id) < made.size()) made[static_cast<std::size_t>(id)] = 1;
    }
    int lost = 0, ghosts = 0;
    for (std::size_t i = 0; i < done_.size(); ++i) {
      lost += done_[i] == outcome::done && made[i] == 0 ? 1 : 0;
      ghosts += done_[i] == outcome::undone && made[i] != 0 ? 1 : 0;
    }
    CHECK(lost == 0);
    CHECK(ghosts == 0);
    CHECK(wrong_ == 0);
    CHECK(is_at_rest(client_));
  }

 private:
  enum class outcome { done, undone, unknown };

  void failed(const error& e) {
    if (scalekit::is_transient(e) || scalekit::outcome_unknown(e)) return;
    if (is_disk_full_ && e.code() == errc::disk_full) return void(++refused_);
    ++wrong_;
    MESSAGE(std::string(e.what()));
  }

  void read(int t) {
    for (int i = t; !stopping_; i = (i + 1) % 100) {
      try {
        client_.read_one<std::int32_t>(by_id(i)) == i ? ++read_ : ++wrong_;
      } catch (const error& e) {
        failed(e);
        std::this_thread::yield();
      }
    }
  }

  void read_async() {
    while (!stopping_) {
      std::vector<std::future<std::vector<std::int32_t>>> reads;
      for (int i = 0; i < 20; ++i) {
        reads.push_back(client_.async_read<std::int32_t>(by_id(i), asio::use_future));
      }
      for (int i = 0; i < 20; ++i) {
        try {
          reads[static_cast<std::size_t>(i)].get() == std::vector<std::int32_t>{i} ? ++read_
                                                                                   : ++wrong_;
        } catch (const error& e) {
          failed(e);
        }
      }
    }
  }

  void write() {
    while (!stopping_) {
      const auto id = static_cast<int>(done_.size());
      try {
        client_.write(sql("insert into written values ($1)", id));
        done_.push_back(outcome::done);
        ++written_;
      } catch (const error& e) {
        failed(e);
        done_.push_back(scalekit::outcome_unknown(e) ? outcome::unknown : outcome::undone);
      }
    }
  }

  db::client& client_;
  std::atomic<bool> stopping_{false}, is_disk_full_{false};
  std::atomic<int> read_{0}, written_{0}, refused_{0}, wrong_{0};
  // Of the thread that writes.
  std::vector<outcome> done_;
  std::vector<std::thread> threads_;
};

db::client_params quick() {
  auto params = patient();
  params.statement_timeout = 2s;
  params.acquire_timeout = 2s;
  params.pool.create_retry_interval = 20ms;
  return params;
}

}  // namespace

TEST_CASE(
    "a server that restarts, crashes, freezes, has no room or ends sessions is come back from") {
  server s({.disk_can_fill = true});
  s.exec(schema);
  auto client = db::client::open(s.url(), quick());
  REQUIRE(warm_up<std::int32_t>(client, by_id(1)));
  load l(client);
  REQUIRE(l.goes_on());

  SUBCASE("a fast restart") {
    s.restart();
  }
  SUBCASE("an immediate restart") {
    s.restart(stop_mode::immediate);
  }
  SUBCASE("a crash") {
    s.kill9();
    s.start();
  }
  SUBCASE("a freeze") {
    s.freeze();
    const auto began = std::chrono::steady_clock::now();
    CHECK(scalekit::is_transient(
        error_of([&] { client.read_one<std::int32_t>(by_id(1), {.timeout = 300ms}); })));
    CHECK(std::chrono::steady_clock::now() - began < 10s);
    s.thaw();
  }
  SUBCASE("a full disk") {
    s.fill_disk("base");
    CHECK(l.is_refused_room());
    s.free_disk();
  }
  SUBCASE("no room for the log of writes, which breaks it down until somebody makes some") {
    s.fill_disk("pg_wal");
    CHECK(wait_until([&] {
      try {
        // What comes next needs another file.
        s.exec("select pg_switch_wal()");
      } catch (const std::runtime_error&) {
        // It is breaking down.
      }
      return !s.is_running();
    }));
    s.free_disk();
    s.start();
  }
  SUBCASE("sessions that are ended again and again") {
    for (int i = 0; i < 30; ++i) {
      s.terminate_backends();
      std::this_thread::sleep_for(5ms);
    }
  }

  CHECK(l.goes_on());
  l.stop();
  l.check();
}

TEST_CASE("one storm of ended sessions costs readers nothing: each is run once more") {
  database d(schema);
  auto client = d.open(patient({.pool = {.min = 8, .max = 8}}));
  loop loop_of_host;
  auto hosted = d.open(patient(), loop_of_host.execution());
  REQUIRE(warm_up<std::int32_t>(client, by_id(1)));
  REQUIRE(warm_up<std::int32_t>(hosted, by_id(1)));
  const auto own = [](int i) {
    return sql("select id + pg_backend_pid() * 0 from item where id = $1", i);
  };

  for (int round = 0; round < 10; ++round) {
    // Each connection has been used just now.
    std::vector<std::thread> threads;
    for (int t = 0; t < 8; ++t) {
      threads.emplace_back([&, t] { client.read_one<std::int32_t>(own(t)); });
    }
    for (auto& t : threads) t.join();
    const auto now = d.query_one("select clock_timestamp()");
    const auto of_before = "datname = '" + d.name() + "' and backend_start < '" + now + "'";
    CHECK(support::wait_until([&] {
      // One that was still logging in is seen later.
      shared_server().terminate_backends(of_before);
      return shared_server().query_one("select count(*) from pg_stat_activity where " +
                                       of_before) == "0";
    }));

    CHECK(client.read_one<std::int32_t>(own(3)) == 3);
    CHECK(client.async_read<std::int32_t>(own(4), asio::use_future).get().at(0) == 4);
    CHECK(client.write(sql("insert into written values ($1)", round)).rows_affected() == 1);
    auto reads = loop_of_host.read_together<std::int32_t>(hosted, 50, by_id);
    for (int i = 0; i < 50; ++i) {
      CHECK(reads[static_cast<std::size_t>(i)].get() == std::vector<std::int32_t>{i});
    }
  }
}

TEST_CASE("a server without a free connection is waited for, and the pool lives with fewer") {
  server s({.max_connections = 8});
  s.exec(schema);
  auto params = patient({.pool = {.min = 0, .max = 20}});
  params.pool.create_retry_interval = 20ms;
  auto client = db::client::open(s.socket_url() + "&user=plain", params);
  s.exec("create role plain login; grant all on all tables in schema public to plain");
  std::vector<std::thread> threads;
  std::atomic<int> right{0};

  for (int t = 0; t < 16; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 10; ++i) {
        right += client.read_one<std::int32_t>(
                     sql("select id from item, pg_sleep(0.002) where id = $1", t)) == t
                     ? 1
                     : 0;
      }
    });
  }
  for (auto& t : threads) t.join();

  CHECK(right == 160);
}

TEST_CASE("a server that cannot be logged in to says why, at once and without the password") {
  server s({.password = "right secret"});
  const auto of = [&](std::string url) {
    auto client = db::client::open(url, patient());
    const auto began = std::chrono::steady_clock::now();
    auto e = error_of([&] { client.read_one<int>(sql("select 1")); });
    CHECK(std::chrono::steady_clock::now() - began < 20s);
    auto again = error_of([&] { client.async_read<int>(sql("select 1"), asio::use_future).get(); });
    CHECK(e.code() == errc::unavailable);
    CHECK(again.code() == errc::unavailable);
    CHECK(std::string(e.what()).find("secret") == std::string::npos);
    return std::string(e.what());
  };
  auto wrong = s.url();
  wrong.insert(wrong.find('@'), "%20secret");
  auto none = s.url();
  none.erase(none.find(':', none.find("//") + 2),
             none.find('@') - none.find(':', none.find("//") + 2));

  CHECK(contains(of(wrong), "password authentication failed"));
  CHECK(contains(of(none), "password"));
  CHECK(contains(of(s.url() + "?sslmode=require"), "SSL"));
  CHECK(contains(of(s.socket_url("nowhere")), "\"nowhere\" does not exist"));
  CHECK(contains(of(s.socket_url() + "&user=nobody"), "\"nobody\" does not exist"));
}

TEST_CASE("a login by SCRAM is bound to the TLS that it goes through") {
  support::postgres::server s({.tls = true, .password = "secret"});
  const auto url = s.url() + "?channel_binding=require&sslrootcert=" + s.ca_file().string();
  auto client = db::client::open(url + "&sslmode=verify-full", patient());

  CHECK(client.read_one<int>(
            sql("select ssl::int from pg_stat_ssl where pid = pg_backend_pid()")) == 1);
  auto in_plain = db::client::open(url + "&sslmode=disable", patient());
  const auto e = support::error_of([&] { in_plain.read_one<int>(sql("select 1")); });
  CHECK(support::contains(e.what(), "channel binding"));
  CHECK_FALSE(support::contains(e.what(), "secret"));
}

TEST_CASE("a server that offers TLS is spoken to by TLS, and a false certificate is refused") {
  server s({.tls = true});
  auto client = db::client::open(
      s.url() + "?sslmode=verify-full&sslrootcert=" + s.ca_file().string(), patient());
  auto distrustful =
      db::client::open(s.url() + "?sslmode=verify-full&sslrootcert=/dev/null", patient());

  CHECK(client.read_one<int>(
            sql("select ssl::int from pg_stat_ssl where pid = pg_backend_pid()")) == 1);
  CHECK_ERRC(client.read<std::string>(sql("select pg_sleep(60)::text"), {.timeout = 50ms}),
             errc::execution_timeout);
  CHECK(client.read_one<int>(sql("select 1")) == 1);
  CHECK_ERRC(distrustful.read_one<int>(sql("select 1")), errc::unavailable);
}

TEST_CASE("a socket that is not there yet is found once the server runs") {
  server s;
  s.exec(schema);
  s.stop();
  auto params = patient();
  params.pool.create_retry_interval = 20ms;
  auto client = db::client::open(s.socket_url(), params);

  const auto e = error_of([&] { client.read_one<std::int32_t>(by_id(1), {.timeout = 300ms}); });
  CHECK((e.code() == errc::unavailable || e.code() == errc::acquire_timeout));
  s.start();

  CHECK(wait_until([&] {
    try {
      return client.read_one<std::int32_t>(by_id(1)) == 1;
    } catch (const error& not_yet) {
      return false;
    }
  }));
}

TEST_CASE("an async transaction finds out which idle connections are closed before it begins") {
  server s;
  auto client = db::client::open(s.url(), patient({.pool = {.min = 4, .max = 4}}));
  std::vector<db::transaction> all;
  for (int i = 0; i < 4; ++i) all.push_back(client.begin());
  all.clear();
  REQUIRE(is_at_rest(client));
  REQUIRE(client.statistics().writer.idle == 4);

  s.restart();
  auto done = client.async_transaction(
      [](db::transaction& tx) { return tx.read_one<std::int32_t>(sql("select 7")); },
      {.max_attempts = 1}, asio::use_future);

  CHECK(done.get() == 7);
}

TEST_CASE("the server's own statement_timeout is a timeout, alone and in company") {
  database d(schema);
  loop l;
  auto client = db::client::open(d.url() + "&options=-c%20statement_timeout%3D500ms",
                                 patient({.lanes = 1}), l.execution());
  REQUIRE(warm_up<std::int32_t>(client, by_id(1)));

  CHECK_ERRC(client.read<std::string>(sql("select pg_sleep(60)::text")), errc::execution_timeout);
  CHECK_ERRC(client.write(sql("select pg_sleep(60)")), errc::execution_timeout);
  auto locker = d.open(patient());
  auto holder = locker.begin();
  holder.run_script("lock table item in access exclusive mode");
  auto reads = l.read_together<std::int32_t>(client, 2, by_id);

  for (auto& read : reads) CHECK_ERRC(read.get(), errc::execution_timeout);
  holder.rollback();
  CHECK(client.read_one<std::int32_t>(by_id(1)) == 1);
}

TEST_CASE("a statement that the server or its administrator ends is late, in any language") {
  server s({.language = "de"});
  auto client = db::client::open(s.socket_url() + "&options=-c%20statement_timeout%3D200ms");
  auto other = db::client::open(s.socket_url(), patient());

  const auto late = error_of([&] { client.write(sql("select pg_sleep(60)")); });
  auto ended = other.async_write(sql("select pg_sleep(60)"), boost::asio::use_future);
  CHECK(
      s.wait_for("select count(*) from (select pg_cancel_backend(pid) from pg_stat_activity"
                 " where wait_event = 'PgSleep') cancelled",
                 "1"));

  CHECK(late.code() == errc::execution_timeout);
  CHECK(late.diag().backend_code == "57014");
  CHECK(contains(late.diag().server_message, "wegen"));
  CHECK_ERRC(ended.get(), errc::execution_timeout);
}
