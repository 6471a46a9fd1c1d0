// The result cache on one PostgreSQL server: changes by others, and a listener that is disturbed.

#include "changing_row.hpp"
#include "result_cache_fixture.hpp"
#include "support/postgres/server.hpp"
#include "support/tcp_proxy.hpp"

#include <boost/asio/use_future.hpp>
#include <doctest/doctest.h>

#include <atomic>
#include <functional>
#include <future>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

using namespace result_cache_test;

namespace {

support::postgres::server& shared_server() {
  static support::postgres::server running;
  return running;
}

using settings_change =
    std::function<void(adapters::result_cache_params&, const std::string& database)>;

/// A database of a test's own, with a cache.
struct shop {
  std::string name = next_name();
  std::string url = create(name);
  db::client client = db::client::open(url);
  scalekit::cache::store store = scalekit::cache::store::open();
  result_cache it;

  explicit shop(settings_change change = {}) : it(made(change)) {}

  void exec(const std::string& text) const { shared_server().exec(text, name); }
  /// Until so many statements wait for a lock.
  bool wait_for_blocked(int count) const {
    return shared_server().wait_for(
        "select count(*) from pg_locks l join pg_database d on d.oid = l.database"
        " where not granted and datname = '" +
            name + "'",
        std::to_string(count));
  }

 private:
  static std::string next_name() {
    static std::atomic<int> next{0};
    return "test_" + std::to_string(next++);
  }
  static std::string create(const std::string& name) {
    shared_server().create_database(name);
    shared_server().exec(schema, name);
    return shared_server().socket_url(name);
  }
  result_cache made(const settings_change& change) {
    adapters::install_change_triggers(client, {"counted"});
    // Long enough for proof to last on a machine that is busy.
    adapters::result_cache_params params{.listen_url = url, .max_staleness = 1min, .timeout = 60s};
    if (change) change(params, name);
    return {client, store, std::move(params)};
  }
};

/// Ends the connections of listeners.
int end_listeners(const shop& s) {
  return shared_server().terminate_backends("datname = '" + s.name +
                                            "' and (query like 'listen %' or query = 'select 1')");
}

}  // namespace

TEST_CASE("what was read once is found until its table is changed by somebody else") {
  shop s;
  REQUIRE(wait_until_it_serves(s.it));

  s.exec("update counted set n = 7 where id = 1");

  CHECK(wait_until([&] { return n(s.it, 1) == 7; }));
  const auto before = s.it.statistics();
  CHECK(n(s.it, 1) == 7);
  CHECK(s.it.statistics().hits == before.hits + 1);
  CHECK(before.notices == 1);
  CHECK(before.resyncs == 1);
}

TEST_CASE("every kind of change is heard, and a transaction is heard once") {
  shop s;
  REQUIRE(wait_until_it_serves(s.it));
  const auto heard_after = [&](const char* change) {
    const auto before = s.it.statistics().notices;
    s.exec(change);
    CHECK(wait_until([&] { return s.it.statistics().notices > before; }));
    return s.it.statistics().notices - before;
  };

  CHECK(heard_after("insert into counted values (3, 3)") == 1);
  CHECK(heard_after("update counted set n = 4 where id = 3") == 1);
  CHECK(heard_after("delete from counted where id = 3") == 1);
  CHECK(heard_after("copy counted from program 'echo 3,3' with (format csv)") == 1);
  CHECK(heard_after("begin; insert into counted select i, 0 from generate_series(10, 500) i;"
                    " update counted set n = 1; delete from counted; commit") == 1);
  CHECK(heard_after("truncate counted") == 1);

  s.exec(
      "create table parent (id bigint primary key); insert into parent values (3), (4);"
      "alter table counted add parent bigint references parent on delete cascade");
  CHECK(heard_after("insert into counted values (3, 3, 3)") == 1);
  CHECK(heard_after("delete from parent where id = 3") == 1);

  // One that is undone says nothing: the next is the first that is heard.
  s.exec("begin; insert into counted (id, n) values (1, 1); rollback");
  CHECK(heard_after("insert into counted (id, n) values (1, 1)") == 1);
}

TEST_CASE("triggers are installed once, by however many, and for more tables later") {
  shop s;
  s.exec("create schema odd; create table odd.\"My Table\" (id int); create table later (id int)");
  const auto triggers = [&] {
    return shared_server().query_one("select count(*) from pg_trigger where not tgisinternal",
                                     s.name);
  };
  std::vector<std::future<void>> all;
  for (int i = 0; i < 4; ++i) {
    all.push_back(std::async(std::launch::async, [&] {
      auto client = db::client::open(s.url);
      adapters::install_change_triggers(client, {"counted", "odd.My Table"});
    }));
  }
  for (auto& one : all) one.get();
  CHECK(triggers() == "2");
  adapters::install_change_triggers(s.client, {"later", "counted"});
  CHECK(triggers() == "3");
  adapters::install_change_triggers(s.client, {"later"}, "another's \"channel\"");
  CHECK(triggers() == "4");

  REQUIRE(wait_until_it_serves(s.it));
  const cached of_odd{cache::ttl::query, {"odd.My Table"}};
  const auto count = sql("select count(*) from odd.\"My Table\"");
  CHECK(s.it.read_one<int>(of_odd, count) == 0);
  s.exec("insert into odd.\"My Table\" values (1)");
  CHECK(wait_until([&] { return s.it.read_one<int>(of_odd, count) == 1; }));
  s.exec("insert into later values (1)");
  CHECK_ERRC(adapters::install_change_triggers(s.client, {"no_such_table"}),
             errc::invalid_statement);
}

TEST_CASE("the log tells once of each table that has no trigger") {
  std::mutex mutex;
  std::vector<std::string> told;
  shop s([&](auto& params, const std::string&) {
    params.log = scalekit::log_sink([&](const scalekit::log_record& r) {
      const std::lock_guard lock(mutex);
      if (r.event == "adapters.result_cache.no_trigger") told.emplace_back(r.fields[0].second);
    });
  });
  s.exec("create table silent (id int); create table disabled (id int)");
  adapters::install_change_triggers(s.client, {"disabled"});
  s.exec("alter table disabled disable trigger all");
  const cached of_all{cache::ttl::query,
                      {"counted", "silent", "disabled", "public.silent", "none"}};

  for (int i = 0; i < 3; ++i) s.it.read<int>(of_all, sql("select id from silent"));

  const auto count = [&] {
    const std::lock_guard lock(mutex);
    return told.size();
  };
  CHECK(wait_until([&] { return count() == 3; }));
  const std::lock_guard lock(mutex);
  CHECK(std::set<std::string>(told.begin(), told.end()) ==
        std::set<std::string>{"silent", "public.silent", "disabled"});
}

TEST_CASE("many who want the same wait for one read") {
  shop s;
  REQUIRE(wait_until_it_serves(s.it));
  s.it.write(add_one_to(2), {"counted"});
  REQUIRE(wait_until([&] { return s.it.statistics().notices == 1; }));
  auto locking = s.client.begin();
  locking.run_script("lock table counted in access exclusive mode");
  const auto before = s.it.statistics();

  std::vector<std::future<std::int64_t>> readers;
  for (int i = 0; i < 8; ++i) {
    readers.push_back(std::async(std::launch::async, [&] { return n(s.it, 2); }));
  }
  CHECK(wait_until([&] { return s.store.stats().coalesced == 7; }));
  CHECK(s.wait_for_blocked(1));
  locking.rollback();

  for (auto& reader : readers) CHECK(reader.get() == 1);
  const auto after = s.it.statistics();
  CHECK(after.misses == before.misses + 1);
  CHECK(after.shared == before.shared + 7);
}

TEST_CASE("a read that began before a write is not kept, nor joined after it") {
  shop s;
  REQUIRE(wait_until_it_serves(s.it));
  // Has its snapshot before it waits.
  const auto slow =
      sql("select n from counted, (select pg_advisory_xact_lock_shared(7)) as waited where id = 2");
  auto holder = s.client.begin();
  holder.lock(7);
  const auto read = [&] { return s.it.read_one<std::int64_t>(of_counted, slow); };

  auto early = std::async(std::launch::async, read);
  REQUIRE(s.wait_for_blocked(1));
  s.it.write(add_one_to(2), {"counted"});
  auto late = std::async(std::launch::async, read);
  REQUIRE(s.wait_for_blocked(2));
  holder.rollback();

  CHECK(early.get() == 0);
  CHECK(late.get() == 1);
  CHECK(s.it.statistics().not_kept_changed >= 1);
  CHECK(read() == 1);
}

TEST_CASE("when another's read is cancelled, those who waited for it read themselves") {
  shop s;
  REQUIRE(wait_until_it_serves(s.it));
  s.it.write(add_one_to(2), {"counted"});
  REQUIRE(wait_until([&] { return s.it.statistics().notices == 1; }));
  auto locking = s.client.begin();
  locking.run_script("lock table counted in access exclusive mode");
  std::stop_source stop;

  auto first =
      std::async(std::launch::async, [&] { return n(s.it, 2, {.stop = stop.get_token()}); });
  REQUIRE(s.wait_for_blocked(1));
  auto second = std::async(std::launch::async, [&] { return n(s.it, 2); });
  REQUIRE(wait_until([&] { return s.store.stats().coalesced == 1; }));
  stop.request_stop();

  CHECK_ERRC(first.get(), errc::cancelled);
  locking.rollback();
  CHECK(second.get() == 1);
}

TEST_CASE("a session is served when all that it knows of was heard") {
  shop s([](auto& params, const std::string&) { params.max_staleness = 200ms; });
  REQUIRE(wait_until_it_serves(s.it));
  auto other = db::client::open(s.url);
  db::session visitor;

  other.write(add_one_to(1), {.session = visitor});
  CHECK(n(s.it, 1, {.session = visitor}) == 1);
  CHECK(n(s.it, 1, {.consistency = consistency::after(visitor)}) == 1);

  CHECK(wait_until([&] {
    const auto before = s.it.statistics().hits;
    CHECK(n(s.it, 1, {.session = visitor}) == 1);
    return s.it.statistics().hits > before;
  }));
  s.it.transaction([](db::transaction& tx) { tx.write(add_one_to(1)); }, {"counted"},
                   {.session = visitor});
  CHECK(n(s.it, 1, {.session = visitor}) == 2);
  CHECK(s.it.statistics().bypassed_ahead > 0);
}

TEST_CASE("without proof that all was heard, reads go past the cache") {
  support::tcp_proxy proxy(shared_server().port());
  shop s([&](auto& params, const std::string& name) {
    params.listen_url =
        "postgresql://postgres@127.0.0.1:" + std::to_string(proxy.port()) + "/" + name;
    params.max_staleness = 300ms;
  });
  REQUIRE(wait_until_it_serves(s.it));
  changing_row row(s.it, 1, 300ms);

  // Half open: the server's notices are lost, and nobody is told.
  proxy.set_to_client({.swallow = true});
  for (int i = 1; i <= 5; ++i) {
    row.changed([&] { s.exec("update counted set n = n + 1 where id = 1"); });
    row.read_until_seen();
  }
  CHECK(wait_until([&] { return s.it.statistics().bypassed_deaf > 0; }));
  s.exec("update counted set n = n + 1 where id = 1");
  proxy.cut_all_and_heal();

  CHECK(wait_until_it_serves(s.it));
  CHECK(n(s.it, 1) == 6);
  CHECK(s.it.statistics().resyncs >= 2);
}

TEST_CASE("connections of the listener are ended while another session writes: nothing is missed") {
  shop s([](auto& params, const std::string&) { params.max_staleness = 500ms; });
  REQUIRE(wait_until_it_serves(s.it));
  changing_row row(s.it, 1, 500ms);
  std::atomic<bool> is_over{false};
  std::vector<std::thread> readers;
  for (int i = 0; i < 3; ++i) {
    readers.emplace_back([&] {
      while (!is_over) row.read();
    });
  }

  for (int i = 0; i < 60; ++i) {
    if (i % 6 == 2) end_listeners(s);
    row.changed([&] { s.exec("update counted set n = n + 1 where id = 1"); });
    if (i % 6 == 0) row.read_until_seen();
  }
  row.read_until_seen();
  is_over = true;
  for (auto& r : readers) r.join();

  CHECK(row.violations() == 0);
  CHECK(wait_until_it_serves(s.it));
  CHECK(n(s.it, 1) == 60);
  CHECK(s.it.statistics().resyncs > 1);
}

TEST_CASE("a cache may end while its listener and its probes are under way") {
  for (int i = 0; i < 5; ++i) {
    shop s;
    if (i % 2 == 0) n(s.it, 1);
    s.exec("update counted set n = 1");
  }
}
