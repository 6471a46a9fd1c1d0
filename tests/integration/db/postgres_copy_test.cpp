// COPY to and from the caller, on a PostgreSQL server.

#include "postgres_fixture.hpp"
#include "support/tcp_proxy.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <ranges>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <tuple>
#include <vector>

using namespace postgres_test;
using namespace std::chrono_literals;

namespace {

struct word_table : database {
  db::client client = open();

  word_table() {
    client.run_script(
        "create table word (n int primary key, text text);"
        "insert into word select i, 'word ' || i from generate_series(1, 5000) i");
  }
  std::int64_t count() { return client.read_one<std::int64_t>(sql("select count(*) from word")); }
};

const auto to_csv = sql("copy (select n, text from word order by n) to stdout (format csv)");
const auto from_csv = sql("copy word from stdin (format csv)");

/// Gives `text` in pieces of `size` bytes.
auto in_pieces(std::string_view text, std::size_t size) {
  return [text, size]() mutable {
    const auto piece = text.substr(0, size);
    text.remove_prefix(piece.size());
    return piece;
  };
}

}  // namespace

TEST_CASE("what is copied out goes in again, however it is cut") {
  word_table t;
  std::string all;
  std::size_t pieces = 0;

  const auto out = t.client.copy_out(to_csv, [&](std::string_view row) {
    all += row;
    ++pieces;
  });
  t.client.write(sql("truncate word"));
  const auto in = t.client.copy_in(from_csv, in_pieces(all, 7));

  CHECK(out == 5000);
  CHECK(pieces == 5000);
  CHECK(all.starts_with("1,word 1\n2,word 2\n"));
  CHECK(in == 5000);
  CHECK(t.client.read_one<std::string>(sql("select text from word where n = 4999")) == "word 4999");
}

TEST_CASE("a large piece and a binary copy") {
  word_table t;
  const std::string large(20'000'000, 'x');
  t.client.write(sql("truncate word"));

  CHECK(t.client.copy_in(from_csv, in_pieces("1," + large + "\n", 30'000'000)) == 1);
  std::string binary;
  CHECK(t.client.copy_out(sql("copy word to stdout (format binary)"),
                          [&](std::string_view piece) { binary += piece; }) == 1);
  t.client.write(sql("truncate word"));
  CHECK(t.client.copy_in(sql("copy word from stdin (format binary)"),
                         in_pieces(binary, binary.size())) == 1);

  CHECK(t.client.read_one<std::int64_t>(sql("select length(text) from word")) == 20'000'000);
}

TEST_CASE("a statement that is no such copy is refused before it is sent") {
  word_table t;
  auto nothing = [](std::string_view) {};
  auto none = [] { return std::string_view(); };

  CHECK_ERRC(t.client.copy_out(sql("select 1"), nothing), errc::invalid_statement);
  CHECK_ERRC(t.client.copy_out(from_csv, nothing), errc::invalid_statement);
  CHECK_ERRC(t.client.copy_in(to_csv, none), errc::invalid_statement);
  CHECK_ERRC(t.client.copy_out(sql("copy word to stdout where n = $1", 1), nothing),
             errc::parameter_mismatch);
  CHECK_ERRC(t.client.copy_out(sql("copy nowhere to stdout"), nothing), errc::invalid_statement);
  CHECK_ERRC(t.client.transaction([&](db::transaction& tx) { tx.copy_in(from_csv, none); },
                                  {.read_only = true}),
             errc::not_allowed);
  CHECK(t.count() == 5000);
}

TEST_CASE("a copy that the server refuses, or whose caller throws, changes nothing") {
  word_table t;
  int given = 0;
  auto throws = [&]() -> std::string_view {
    if (++given == 3) throw std::runtime_error("no more");
    return "9001,a\n";
  };

  CHECK_ERRC(t.client.copy_in(from_csv, in_pieces("9001,a\n9002,b\n9001,c\n", 5)),
             errc::constraint_violation);
  CHECK_ERRC(t.client.copy_in(from_csv, in_pieces("9001,a\nnine,b\n", 5)),
             errc::value_out_of_range);
  CHECK_THROWS_WITH(t.client.copy_in(from_csv, throws), "no more");
  CHECK_THROWS_WITH(
      t.client.copy_out(to_csv, [](std::string_view) { throw std::runtime_error("full"); }),
      "full");

  CHECK(t.count() == 5000);
}

TEST_CASE("a copy that fails in a savepoint leaves the transaction open") {
  word_table t;

  const auto in = t.client.transaction([&](db::transaction& tx) {
    CHECK_ERRC(tx.savepoint([&] { tx.copy_in(from_csv, in_pieces("1,twice\n", 100)); }),
               errc::constraint_violation);
    return tx.copy_in(from_csv, in_pieces("9001,once\n", 100));
  });

  CHECK(in == 1);
  CHECK(t.count() == 5001);
}

TEST_CASE("a copy ends at its deadline, its stop and with its connection") {
  word_table t;
  std::stop_source stop;
  stop.request_stop();
  auto nothing = [](std::string_view) {};

  CHECK_ERRC(
      t.client.copy_out(sql("copy (select pg_sleep(60)) to stdout"), nothing, {.timeout = 100ms}),
      errc::execution_timeout);
  CHECK_ERRC(t.client.copy_out(to_csv, nothing, {.stop = stop.get_token()}), errc::cancelled);
  std::stop_source later;
  CHECK_ERRC(t.client.copy_out(sql("copy (select n, pg_sleep(0.001) from word) to stdout"),
                               [&](std::string_view) { later.request_stop(); },
                               {.stop = later.get_token()}),
             errc::cancelled);

  support::tcp_proxy proxy(shared_server().port());
  auto far = db::client::open("postgresql://postgres@127.0.0.1:" + std::to_string(proxy.port()) +
                              "/" + t.name);
  auto tx = far.begin();
  proxy.set_to_server({.cut_after = 200'000});
  std::string many;
  for (int i = 10'000; many.size() < 1'000'000; ++i) many += std::to_string(i) + ",x\n";
  CHECK_ERRC(tx.copy_in(from_csv, in_pieces(many, 1000)), errc::connection_lost);
  CHECK_FALSE(tx.is_open());

  CHECK(t.count() == 5000);
}

TEST_CASE("a copy out ends in time, though there is always more of it") {
  word_table t;
  std::stop_source stop;
  int taken = 0;
  auto slowly = [&](std::string_view) {
    std::this_thread::sleep_for(10ms);
    if (++taken == 10) stop.request_stop();
  };

  CHECK_ERRC(t.client.copy_out(to_csv, slowly, {.timeout = 100ms}), errc::execution_timeout);
  CHECK(taken < 100);
  taken = 0;
  stop = std::stop_source();
  CHECK_ERRC(t.client.copy_out(to_csv, slowly, {.stop = stop.get_token()}), errc::cancelled);
  CHECK(taken < 100);
  CHECK_ERRC(t.client.copy_out(sql("copy (select generate_series(1, 50000000)) to stdout"),
                               [](std::string_view) {}, {.timeout = 200ms}),
             errc::execution_timeout);
}

TEST_CASE("a script ends in time, though its server always has something to say") {
  const database d;
  auto client = d.open();

  CHECK_ERRC(client.run_script(
                 "do $$ begin for i in 1..5000000 loop raise notice 'still here'; end loop; end $$",
                 {.timeout = 200ms}),
             errc::execution_timeout);
}

namespace {

constexpr std::size_t mib = std::size_t{1} << 20;
/// What systems hold for the sockets on the way, and much more than the driver may.
constexpr std::size_t on_the_way = 32 * mib;

/// A table behind a network that takes 1 MB a second.
struct slow_way : database {
  support::tcp_proxy proxy{shared_server().port()};
  db::client client = db::client::open(
      "postgresql://postgres@127.0.0.1:" + std::to_string(proxy.port()) + "/" + name);

  slow_way() {
    client.run_script("create table line (n int, text text)");
    proxy.set_to_server({.bytes_per_second = 1'000'000});
  }
};

}  // namespace

TEST_CASE("a copy in that is faster than its server waits for it, and ends in time") {
  slow_way way;
  const auto into = sql("copy line (text) from stdin");
  const auto piece = std::string(64 * 1024 - 1, 'x') + '\n';
  std::size_t given = 0;
  std::stop_source stop;
  auto give = [&]() -> std::string_view {
    given += piece.size();
    if (given > mib) stop.request_stop();
    return given < 256 * mib ? std::string_view(piece) : std::string_view();
  };

  CHECK_ERRC(way.client.copy_in(into, give, {.timeout = 500ms}), errc::execution_timeout);
  CHECK(given < on_the_way);
  given = 0;
  stop = std::stop_source();
  CHECK_ERRC(way.client.copy_in(into, give, {.timeout = 1min, .stop = stop.get_token()}),
             errc::cancelled);
  CHECK(given < on_the_way);
}

TEST_CASE("a copy in that has something only now and then ends in time") {
  word_table t;
  std::stop_source stop;
  int given = 0;
  auto give = [&]() -> std::string_view {
    std::this_thread::sleep_for(20ms);
    if (++given == 10) stop.request_stop();
    return given < 1000 ? "9001,once\n" : "";
  };

  CHECK_ERRC(t.client.copy_in(from_csv, give, {.stop = stop.get_token()}), errc::cancelled);
  CHECK(given < 100);
  given = 0;
  CHECK_ERRC(t.client.copy_in(from_csv, give, {.timeout = 100ms}), errc::execution_timeout);
  CHECK(given < 100);
  CHECK(t.count() == 5000);
}

TEST_CASE("many rows that are faster than their server wait for it") {
  slow_way way;
  const std::string text(1000, 'x');
  int last = 0;
  const auto rows = std::views::iota(0, 256 * 1024) | std::views::transform([&](int i) {
                      last = i;
                      return std::tuple(i, text);
                    });

  CHECK_ERRC(way.client.insert_many({"line", {"n", "text"}}, rows, {.timeout = 500ms}),
             errc::execution_timeout);
  CHECK(static_cast<std::size_t>(last) * text.size() < on_the_way);
}
