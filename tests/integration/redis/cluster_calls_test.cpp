#include "failure.hpp"
#include "loop.hpp"
#include "scalekit/redis.hpp"
#include "support/event_log.hpp"
#include "support/redis/cluster.hpp"
#include "support/redis/server.hpp"
#include "support/reserved_port.hpp"
#include "support/wait_until.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <future>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

using namespace redis_tests;
using namespace std::chrono_literals;
using scalekit::done;
using scalekit::errc;
using scalekit::result;
using scalekit::redis::call_options;
using scalekit::redis::client;
using scalekit::redis::command;
using scalekit::redis::read_from;
using scalekit::redis::script;
using scalekit::redis::transaction;

// A cluster that is well, and stays so: what goes where.

namespace {

support::redis::cluster& well() {
  static support::redis::cluster all;
  return all;
}

/// Through the client, in both ways.
template <class T, class Call>
T both(client& c, const Call& what) {
  const auto async = c.async_call<T>(Call(what), asio::use_future).get();
  auto blocking = c.call<T>(Call(what));
  CHECK(async == blocking);
  return blocking;
}

}  // namespace

TEST_CASE("commands of all kinds find their node, blocking and not") {
  auto& servers = well();
  loop host;
  auto c = client::open(servers.url(), {}, host.execution());
  for (std::size_t node = 0; node < 3; ++node) {
    const auto k = servers.key_on(node, "kinds:");
    INFO(k);
    c.call<done>(command("SET", k, "v"));
    CHECK(both<text>(c, command("GET", k)) == "v");
    CHECK(both<std::string>(c, command("OBJECT", "ENCODING", k)) == "embstr");
    CHECK(both<std::string>(c, command("EVAL", "return redis.call('GET', KEYS[1])", 1, k)) == "v");
    CHECK(both<int>(c, command("BITCOUNT", k)) > 0);

    const auto tag = "{" + k + "}";
    c.call<done>(command("XADD", tag + "x", "1-1", "f", "v"));
    CHECK_NOTHROW(
        both<scalekit::redis::reply>(c, command("XREAD", "COUNT", 1, "STREAMS", tag + "x", "0")));
    c.call<done>(command("ZADD", tag + "z1", 1, "a"));
    c.call<done>(command("ZADD", tag + "z2", 2, "b"));
    CHECK(both<std::vector<std::string>>(c, command("ZUNION", 2, tag + "z1", tag + "z2")).size() ==
          2);
    c.call<done>(command("BITOP", "NOT", tag + "n", k));
    CHECK(servers.node(node).ask({"EXISTS", tag + "n"}) == "1");
    c.call<done>(command("RPUSH", tag + "q", "one"));
    CHECK(c.call<std::pair<std::string, std::string>>(command("BLPOP", tag + "q", 5)).second ==
          "one");
  }
  CHECK(c.statistics().moved == 0);
  CHECK(c.statistics().nodes == 6);
  CHECK(c.statistics().shared.connected >= 3);
}

TEST_CASE("what has no key goes to any master") {
  auto c = client::open(well().url_of(1));
  CHECK(both<std::string>(c, command("PING", "x")) == "x");
  CHECK(c.call<std::string>(command("INFO", "replication")).find("role:master") !=
        std::string::npos);
  CHECK(both<std::vector<bool>>(c, command("SCRIPT", "EXISTS", std::string(40, '0'))).size() == 1);
}

TEST_CASE("a command that nobody knows is refused by the node of its first argument") {
  auto& servers = well();
  auto c = client::open(servers.url());
  for (std::size_t node = 0; node < 3; ++node) {
    const auto k = servers.key_on(node);
    const auto e = failure_of([&] { c.call<done>(command("NOSUCH.COMMAND", k)); });
    CHECK(e.code() == errc::invalid_statement);
    CHECK(e.diag().origin == "127.0.0.1:" + std::to_string(servers.node(node).port()));
  }
}

TEST_CASE("scripts go to the node of their keys, which is sent the text once") {
  auto& servers = well();
  auto c = client::open(servers.url());
  const script add("return redis.call('INCRBY', KEYS[1], ARGV[1])");
  for (std::size_t node = 0; node < 3; ++node) {
    const auto k = servers.key_on(node, "script:");
    CHECK(c.call<int>(add({k}, 2)) == 2);
    CHECK(c.async_call<int>(add({k}, 3), asio::use_future).get() == 5);
    CHECK(c.call<int>(add.with_keys(std::vector<std::string>{k}, 1)) == 6);
    CHECK(servers.node(node).ask({"GET", k}) == "6");
  }
  CHECK(c.statistics().scripts_sent == 3);
}

TEST_CASE("a transaction is of one slot, or refused with the slots") {
  auto& servers = well();
  auto c = client::open(servers.url());
  const auto k = servers.key_on(1, "tx:");
  const auto both_of = [&] {
    return transaction(command("INCR", "{" + k + "}a"), command("INCR", "{" + k + "}b"));
  };
  using pair = std::pair<int, int>;
  CHECK(c.call<pair>(both_of()) == pair{1, 1});
  CHECK(c.async_call<pair>(both_of(), asio::use_future).get() == pair{2, 2});

  const auto other = servers.key_on(2, "tx:");
  const auto slots = "different slots of the cluster, " + std::to_string(servers.slot_of(k)) +
                     " and " + std::to_string(servers.slot_of(other));
  const auto refused =
      failure_of([&] { c.call<pair>(transaction(command("INCR", k), command("INCR", other))); });
  CHECK(refused.code() == errc::invalid_argument);
  CHECK(support::contains(refused.diag().client_message, slots));
  CHECK(refused.diag().client_message.find(k) == std::string::npos);
  const auto async = failure_of(c.async_call<pair>(
      transaction(command("INCR", k), command("INCR", other)), asio::use_future));
  CHECK(async.code() == errc::invalid_argument);
  CHECK(failure_of([&] { c.call<done>(command("RENAME", k, other)); }).code() ==
        errc::invalid_argument);
  CHECK(servers.node(1).ask({"EXISTS", k}) == "0");
}

TEST_CASE("MGET, MSET, DEL, UNLINK, EXISTS and TOUCH have keys in any slots") {
  auto& servers = well();
  loop host;
  auto c = client::open(servers.url(), {}, host.execution());
  std::vector<std::string> keys;
  std::vector<std::pair<std::string, std::string>> values;
  std::vector<text> wanted;
  for (int i = 0; i < 50; ++i) {
    keys.push_back("split:" + std::to_string(i));
    values.emplace_back(keys.back(), "v" + std::to_string(i));
    wanted.emplace_back(values.back().second);
  }
  keys.push_back("split:absent");
  wanted.emplace_back();

  CHECK(c.call<std::string>(command("MSET", values)) == "OK");
  CHECK(both<std::vector<text>>(c, command("MGET", keys)) == wanted);
  CHECK(both<int>(c, command("EXISTS", keys)) == 50);
  CHECK(both<int>(c, command("TOUCH", keys)) == 50);
  CHECK(c.async_call<int>(command("DEL", std::vector(keys.begin(), keys.begin() + 10)),
                          asio::use_future)
            .get() == 10);
  CHECK(c.call<int>(command("UNLINK", keys)) == 40);
  CHECK(c.async_call<std::string>(command("MSET", values), asio::use_future).get() == "OK");
  CHECK(c.call<int>(command("DEL", keys)) == 50);
  // One slot: one command.
  CHECK(both<std::vector<text>>(c, command("MGET", "{s}1", "{s}2")).size() == 2);
}

TEST_CASE("many commands at once: each to its node, each with its own error, in order") {
  auto& servers = well();
  loop host;
  auto c = client::open(servers.url(), {}, host.execution());
  c.call<done>(command("SET", "each:text", "no number"));
  const auto all = [] {
    std::vector<command> many;
    for (int i = 0; i < 200; ++i) many.emplace_back("SET", "each:" + std::to_string(i), i);
    many.emplace_back("INCR", "each:text");
    many.emplace_back("RENAME", "each:1", "each:2");
    for (int i = 0; i < 200; ++i) many.emplace_back("EXISTS", "each:" + std::to_string(i));
    return many;
  };
  const auto check = [](const std::vector<result<bool>>& got) {
    REQUIRE(got.size() == 402);
    for (std::size_t i = 0; i < got.size(); ++i) {
      if (i == 200) {
        CHECK(got[i].error().code() == errc::invalid_statement);
      } else if (i == 201) {
        CHECK(got[i].error().code() == errc::invalid_argument);
      } else {
        REQUIRE(got[i].has_value());
        if (i < 200) CHECK(*got[i]);
      }
    }
  };
  check(c.call_each<bool>(all()));
  check(c.async_call_each<bool>(all(), {}, asio::use_future).get());
  CHECK(c.call_each<bool>({}).empty());
  CHECK(c.async_call_each<bool>({}, {}, asio::use_future).get().empty());
}

TEST_CASE("one server takes many commands at once as well") {
  support::redis::server server;
  loop host;
  auto c = client::open(server.url(), {}, host.execution());
  const auto check = [](const std::vector<result<int>>& got) {
    REQUIRE(got.size() == 3);
    CHECK(*got[0] >= 1);
    CHECK(got[1].error().code() == errc::column_mismatch);
    CHECK(got[1].error().diag().client_message.starts_with("SET: "));
    CHECK(*got[2] == *got[0] + 1);
  };
  const auto all = [] {
    std::vector<command> many;
    many.emplace_back("INCR", "n");
    many.emplace_back("SET", "k", "v");
    many.emplace_back("INCR", "n");
    return many;
  };
  check(c.call_each<int>(all()));
  check(c.async_call_each<int>(all(), {}, asio::use_future).get());

  std::stop_source stop;
  stop.request_stop();
  for (const auto& each : c.call_each<int>(all(), {.stop = stop.get_token()})) {
    CHECK(each.error().code() == errc::cancelled);
  }
  // Stopped while they wait in the server.
  std::stop_source later;
  std::vector<command> waits;
  waits.emplace_back("BLPOP", "empty:1", 0);
  waits.emplace_back("BLPOP", "empty:2", 0);
  auto pending = c.async_call_each<done>(
      std::move(waits), {.timeout = 60s, .stop = later.get_token()}, asio::use_future);
  REQUIRE(support::wait_until([&] { return c.statistics().blocking.in_flight == 2; }));
  later.request_stop();
  for (const auto& each : pending.get()) CHECK(each.error().code() == errc::cancelled);
  CHECK_THROWS_AS(c.call_each<done>({command("PING"), command("MULTI")}), scalekit::error);
}

TEST_CASE("replicas answer reads when asked to, and never what writes") {
  auto& servers = well();
  loop host;
  auto c = client::open(servers.url(), {}, host.execution());
  const auto k = servers.key_on(0, "replica:");
  c.call<done>(command("SET", k, "v"));
  servers.wait_until_followed(0);
  const auto reads_of = [&](std::size_t node) {
    const auto stats = servers.node(node).ask({"INFO", "commandstats"});
    const auto at = stats.find("cmdstat_get:calls=");
    return at == std::string::npos ? 0 : std::stoi(stats.substr(at + 18));
  };
  const auto before = reads_of(3);
  const call_options at_replica{.read_from = read_from::replica};

  CHECK(c.call<text>(command("GET", k), at_replica) == "v");
  CHECK(c.async_call<text>(command("GET", k), at_replica, asio::use_future).get() == "v");

  CHECK(reads_of(3) == before + 2);
  CHECK(c.call<int>(command("APPEND", k, "w"), at_replica) == 2);
  CHECK(c.call<text>(command("GET", k)) == "vw");
  CHECK(reads_of(3) == before + 2);
  CHECK(c.call<std::vector<text>>(command("MGET", k, servers.key_on(1), servers.key_on(2)),
                                  at_replica)
            .size() == 3);
  CHECK(c.statistics().moved == 0);
}

TEST_CASE("a call that waits in the server is cancelled there, and at its deadline") {
  auto& servers = well();
  auto c = client::open(servers.url());
  CHECK(c.call<text>(command("GET", "k")) == std::nullopt);
  std::stop_source stop;
  auto waiting = c.async_call<done>(command("BLPOP", "nobody", 0),
                                    {.timeout = 60s, .stop = stop.get_token()}, asio::use_future);
  REQUIRE(support::wait_until([&] { return c.statistics().blocking.in_flight == 1; }));
  stop.request_stop();
  CHECK(failure_of(std::move(waiting)).code() == errc::cancelled);
  CHECK(outcome_unknown(
      failure_of([&] { c.call<done>(command("BLPOP", "nobody", 0), {.timeout = 50ms}); })));
  CHECK(failure_of([&] { c.call<done>(command("GET", "k"), {.timeout = 0ms}); }).code());
  CHECK(failure_of([&] { c.call<done>(command("SUBSCRIBE", "k")); }).code() == errc::not_allowed);
}

TEST_CASE("the map is asked for once by however many callers, and of any seed that answers") {
  auto& servers = well();
  const support::reserved_port nobody;
  support::redis::server alone;
  support::event_log log;
  loop host;
  const auto dead = "127.0.0.1:" + std::to_string(nobody.number());
  const auto no_cluster = "127.0.0.1:" + std::to_string(alone.port());
  auto c =
      client::open("redis+cluster://" + dead + "," + no_cluster +
                       ",127.0.0.1:" + std::to_string(servers.node(4).port()),
                   {.timeout = 30s, .acquire_timeout = 20s, .log = log.sink()}, host.execution());
  std::vector<std::future<text>> pending;
  for (int i = 0; i < 100; ++i) {
    pending.push_back(
        c.async_call<text>(command("GET", "map:" + std::to_string(i)), asio::use_future));
  }
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] { c.call<text>(command("GET", "map:" + std::to_string(i))); });
  }
  for (auto& each : threads) each.join();
  for (auto& each : pending) CHECK(each.get() == std::nullopt);

  CHECK(c.statistics().refreshes == 1);
  CHECK(c.statistics().nodes == 6);
  CHECK(log.count("redis.cluster.map", "3 masters and 3 replicas") == 1);
}

TEST_CASE("a client that is closed says so, and one with calls under way may be let go") {
  auto& servers = well();
  auto c = client::open(servers.url());
  c.call<done>(command("SET", "k", "v"));
  c.async_call<done>(command("SET", "k", "v"), asio::use_future).get();
  c.close();
  c.close();
  CHECK(failure_of([&] { c.call<text>(command("GET", "k")); }).code() == errc::closed);
  CHECK(failure_of(c.async_call<text>(command("GET", "k"), asio::use_future)).code() ==
        errc::closed);
  CHECK(failure_of([&] { c.call<text>(command("MGET", "k", "l")); }).code() == errc::closed);

  std::future<text> pending;
  {
    auto gone = client::open(servers.url());
    pending = gone.async_call<text>(command("GET", "k"), asio::use_future);
  }
  CHECK(pending.get() == "v");
}

TEST_CASE("a cluster with a password takes it at every node") {
  support::redis::cluster guarded({.password = "se cret", .has_replicas = false});
  auto url = guarded.url();
  const auto at = url.find("se cret");
  url.replace(at, 7, "se%20cret");
  auto c = client::open(url);
  for (std::size_t node = 0; node < 3; ++node) {
    CHECK_NOTHROW(c.call<done>(command("SET", guarded.key_on(node), "v")));
  }
  auto wrong =
      client::open("redis+cluster://:wrong@127.0.0.1:" + std::to_string(guarded.node(0).port()),
                   {.acquire_timeout = 100ms});
  const auto e = failure_of([&] { wrong.call<done>(command("GET", "k")); });
  CHECK(e.code() == errc::unavailable);
  CHECK(support::contains(e.diag().client_message, "the login was refused"));
  CHECK(e.diag().client_message.find("wrong@") == std::string::npos);
}
