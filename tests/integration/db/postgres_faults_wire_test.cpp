// What a network does to a driver, through a proxy.

#include "postgres_faults_loop.hpp"
#include "support/tcp_proxy.hpp"

#include <atomic>
#include <chrono>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

using namespace faults;
using support::cut_kind;
using support::tcp_proxy;

namespace {

constexpr const char* table =
    "create table item (id int primary key, text text);"
    "insert into item select i, repeat(i::text, 200) from generate_series(0, 299) i;"
    "create table written (id int)";

db::statement by_id(int id) {
  return sql("select id from item where id = $1", id);
}

std::string through(const tcp_proxy& proxy, const database& d) {
  return "postgresql://postgres@127.0.0.1:" + std::to_string(proxy.port()) + "/" + d.name();
}

template <class Action>
std::chrono::nanoseconds time_of(Action&& action) {
  const auto began = std::chrono::steady_clock::now();
  action();
  return std::chrono::steady_clock::now() - began;
}

}  // namespace

TEST_CASE("reads under way in a lane that is cut run once more on another connection") {
  database d(table);
  tcp_proxy proxy(shared_server().port());
  loop l;
  auto client = db::client::open(through(proxy, d), patient(), l.execution());
  REQUIRE(warm_up<std::int32_t>(client, by_id(1)));

  for (const auto kind : {cut_kind::reset, cut_kind::finish, cut_kind::reset, cut_kind::finish}) {
    proxy.set_to_client({.delay = 5ms});
    auto reads = l.read_together<std::int32_t>(client, 200, by_id);
    proxy.cut_all(kind);
    proxy.heal();
    for (int i = 0; i < 200; ++i) {
      CAPTURE(i);
      CHECK(reads[static_cast<std::size_t>(i)].get() == std::vector<std::int32_t>{i});
    }
  }
  CHECK(is_at_rest(client));
}

TEST_CASE("connections that are cut in the middle of a result settle everybody, with right rows") {
  database d(table);
  tcp_proxy proxy(shared_server().port());
  loop l;
  auto client = db::client::open(through(proxy, d), patient(), l.execution());
  auto long_by_id = [](int i) { return sql("select text from item where id = $1", i); };
  REQUIRE(warm_up<std::string>(client, long_by_id(1)));
  int answered = 0;

  for (std::size_t bytes : {1u, 7u, 100u, 5000u, 30000u, 60000u}) {
    proxy.set_to_client({.cut_after = bytes});
    auto reads = l.read_together<std::string>(client, 100, long_by_id);
    wait_until([&] { return proxy.connections() == 0; }, 200ms);
    proxy.heal();
    for (int i = 0; i < 100; ++i) {
      std::string wanted;
      for (int k = 0; k < 200; ++k) wanted += std::to_string(i);
      try {
        const auto rows = reads[static_cast<std::size_t>(i)].get();
        CHECK(rows == std::vector<std::string>{wanted});
        ++answered;
      } catch (const error& e) {
        CAPTURE(e.what());
        CHECK(e.code() == errc::connection_lost);
      }
    }
  }
  CHECK(answered > 0);
  CHECK(client.read_one<std::int32_t>(by_id(3)) == 3);
}

TEST_CASE("a write whose connection is cut is in doubt or was not made, never the contrary") {
  database d(table);
  tcp_proxy proxy(shared_server().port());
  loop l;
  auto client = db::client::open(through(proxy, d), patient(), l.execution());
  client.write(sql("insert into written values (-1)"));
  std::mt19937 random(1);

  for (int i = 0; i < 60; ++i) {
    proxy.set_to_client({.delay = 200us, .cut_after = random() % 120});
    bool done = false, undone = false;
    auto what = sql("insert into written values ($1)", i);
    try {
      i % 2 == 0 ? client.write(what, {.timeout = 2s})
                 : client.async_write(what, {.timeout = 2s}, asio::use_future).get();
      done = true;
    } catch (const error& e) {
      undone = !scalekit::outcome_unknown(e);
    }
    proxy.heal();
    proxy.cut_all();
    const auto rows = "select count(*) from written where id = " + std::to_string(i);
    CAPTURE(i);
    if (done) CHECK(d.query_one(rows) == "1");
    if (undone) {
      // A statement that is still under way might come to be made.
      CHECK(wait_until([&] {
        return d.query_one(
                   "select count(*) from pg_stat_activity where state = 'active' and "
                   "datname = current_database()") == "1";
      }));
      CHECK(d.query_one(rows) == "0");
    }
  }
}

TEST_CASE("a network that swallows everything keeps nobody longer than he wants, nor the end") {
  database d(table);
  tcp_proxy proxy(shared_server().port());
  loop l;
  auto params = patient();
  params.pool = {.min = 4, .max = 8, .destroy_timeout = 500ms, .shed_target = 0s};
  auto client =
      std::make_unique<db::client>(db::client::open(through(proxy, d), params, l.execution()));
  REQUIRE(warm_up<std::int32_t>(*client, by_id(1)));
  proxy.set_to_client({.swallow = true});
  proxy.set_to_server({.swallow = true});

  const auto took = time_of([&] {
    auto reads = l.read_together<std::int32_t>(*client, 50, by_id, {.timeout = 300ms});
    CHECK(scalekit::is_timeout(error_of([&] {
      client->read_one<std::int32_t>(sql("select pg_backend_pid()"), {.timeout = 300ms});
    })));
    auto write = client->async_write(sql("insert into written values (1)"), {.timeout = 300ms},
                                     asio::use_future);
    const auto e = error_of([&] { write.get(); });
    CHECK((scalekit::is_timeout(e) || e.code() == errc::commit_in_doubt));
    for (auto& read : reads) CHECK(scalekit::is_timeout(error_of([&] { read.get(); })));
  });
  CHECK(took < 20s);

  proxy.heal();
  proxy.cut_all();
  CHECK(wait_until([&] {
    try {
      return client->read_one<std::int32_t>(by_id(5), {.timeout = 5s}) == 5;
    } catch (const error&) {
      return false;
    }
  }));
  CHECK(is_at_rest(*client));
  proxy.set_accepting(support::accept_mode::hang);
  proxy.set_to_client({.swallow = true});
  proxy.set_to_server({.swallow = true});
  CHECK_ERRC(client->read<std::string>(sql("select pg_sleep(60)::text"), {.timeout = 50ms}),
             errc::execution_timeout);
  CHECK(time_of([&] { client.reset(); }) < 20s);
}

TEST_CASE("bytes that come one by one, and a slow link, make no difference") {
  database d(table);
  tcp_proxy proxy(shared_server().port());
  loop l;
  auto client = db::client::open(through(proxy, d), patient(), l.execution());
  REQUIRE(warm_up<std::int32_t>(client, by_id(1)));
  proxy.set_to_client({.max_chunk = 1, .bytes_per_second = 40'000});
  proxy.set_to_server({.max_chunk = 1, .bytes_per_second = 40'000});

  auto reads = l.read_together<std::int32_t>(client, 50, by_id);
  const auto text = client.read_one<std::string>(sql("select text from item where id = 7"));
  const auto tx = client.transaction([](db::transaction& t) {
    t.write(sql("insert into written values (5)"));
    return t.read_one<std::int64_t>(sql("select count(*) from written"));
  });

  CHECK(text == std::string(200, '7'));
  CHECK(tx == 1);
  for (int i = 0; i < 50; ++i) {
    CHECK(reads[static_cast<std::size_t>(i)].get() == std::vector<std::int32_t>{i});
  }
}

TEST_CASE("streams, COPY, batches and notifications make nothing of bytes that come one by one") {
  database d(table);
  tcp_proxy proxy(shared_server().port());
  proxy.set_to_client({.max_chunk = 1, .bytes_per_second = 40'000});
  proxy.set_to_server({.max_chunk = 1, .bytes_per_second = 40'000});
  auto client = db::client::open(through(proxy, d), patient());
  std::atomic<int> heard{0}, resyncs{0};
  const db::listener listener(through(proxy, d), {.channels = {"news"},
                                                  .on_notification =
                                                      [&](const db::notification& n) {
                                                        CHECK(n.payload == "some");
                                                        ++heard;
                                                      },
                                                  .on_resync = [&] { ++resyncs; }});

  std::vector<std::int32_t> streamed;
  client.read_each<std::int32_t>(sql("select id from item where id < 100 order by id"),
                                 [&](std::int32_t id) { streamed.push_back(id); });
  std::string copied;
  const auto rows =
      client.copy_out(sql("copy (select id from item where id < 20 order by id) to stdout"),
                      [&](std::string_view row) { copied += row; });
  bool is_given = false;
  const auto taken = client.copy_in(sql("copy written from stdin"), [&] {
    return std::exchange(is_given, true) ? std::string_view() : std::string_view("1\n2\n3\n");
  });
  db::batch batch;
  batch.write(sql("insert into written values ($1)", 4));
  auto sum = batch.read<std::int64_t>(sql("select sum(id) from written"));
  client.run(batch);
  REQUIRE(wait_until([&] { return resyncs == 1; }));
  client.write(sql("select pg_notify('news', 'some')"));

  REQUIRE(streamed.size() == 100);
  CHECK(streamed.front() == 0);
  CHECK(streamed.back() == 99);
  CHECK(rows == 20);
  CHECK(copied.ends_with("18\n19\n"));
  CHECK(taken == 3);
  CHECK(sum.take_one() == 10);
  CHECK(wait_until([&] { return heard == 1; }));
}

TEST_CASE("results of a hundred megabytes, and values as large as allowed, arrive whole") {
  database d(table);
  tcp_proxy proxy(shared_server().port());
  auto params = patient();
  params.max_value_bytes = std::size_t{8} << 20;
  auto client = db::client::open(through(proxy, d), params);

  std::size_t bytes = 0;
  for (const auto& [i, text] : client.read<std::tuple<std::int32_t, std::string>>(
           sql("select i, repeat(chr(97 + i % 26), 1000000) from generate_series(1, 100) i"))) {
    bytes += text.size();
    CHECK(text == std::string(1'000'000, static_cast<char>('a' + i % 26)));
  }
  const std::string largest(params.max_value_bytes, 'x');
  client.write(sql("insert into item values (1000, $1)", largest));

  CHECK(bytes == 100'000'000);
  CHECK(client.read_one<std::string>(sql("select text from item where id = 1000")) == largest);
  CHECK_ERRC(client.read<std::string>(sql("select text || 'x' from item where id = 1000")),
             errc::too_large);
  CHECK_ERRC(client.write(sql("insert into item values (1001, $1)", largest + "x")),
             errc::too_large);
  CHECK(client.read_one<std::int32_t>(by_id(1)) == 1);
}
