#include "redis/place.hpp"

#include "scalekit/core/settings_file.hpp"
#include "scalekit/redis/client_settings.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <stdexcept>
#include <string>

using namespace scalekit;
using namespace scalekit::redis;
using namespace std::chrono_literals;
using scalekit::redis::detail::target_from_url;

namespace {

std::string refusal(std::string_view url, client_params params = {}) {
  try {
    target_from_url(url, std::move(params));
  } catch (const std::invalid_argument& e) {
    return e.what();
  }
  return "accepted";
}

}  // namespace

TEST_CASE("a URL says where, who, which database, and any setting") {
  const auto t =
      target_from_url("redis://app:p%40ss@10.0.0.9:7000/3?timeout=250ms&max_backlog=5", {});

  CHECK(t.where.host == "10.0.0.9");
  CHECK(t.where.port == 7000);
  CHECK(t.where.name() == "10.0.0.9:7000");
  CHECK(t.params.username == "app");
  CHECK(t.params.password == "p@ss");
  CHECK(t.params.database == 3);
  CHECK(t.params.timeout == 250ms);
  CHECK(t.params.max_backlog == 5);
}

TEST_CASE("what a URL does not say is the usual, or the settings'") {
  const auto plain = target_from_url("redis://localhost", {.database = 2});
  CHECK(plain.where.name() == "localhost:6379");
  CHECK(plain.params.database == 2);

  const auto six = target_from_url("redis://[::1]:1/", {});
  CHECK(six.where.host == "::1");
  CHECK(six.where.name() == "[::1]:1");

  const auto password_alone = target_from_url("redis://:secret@localhost", {});
  CHECK(password_alone.params.username.empty());
  CHECK(password_alone.params.password == "secret");

  const auto unix_socket = target_from_url("redis+unix://:secret@/run/redis.sock?database=4", {});
  CHECK(unix_socket.where.path == "/run/redis.sock");
  CHECK(unix_socket.where.name() == "/run/redis.sock");
  CHECK(unix_socket.params.database == 4);
}

TEST_CASE("what can never work is refused, and no password is shown") {
  struct row {
    std::string url;
    std::string part;
  };
  const row rows[] = {
      {"redis://:secret@", "names no host"},
      {"http://:secret@host", "another scheme"},
      {"redis://:secret@host/x", "a path that is no database's number"},
      {"redis://:secret@host/1/2", "a path that is no database's number"},
      {"redis://:secret@host:0", "a port outside"},
      {"redis://:secret@host:99999", "port"},
      {"redis://:secret@host?tiemout=1s", "timeout"},
      {"redis://:secret@host?timeout=0", "timeout is"},
      {"redis://:secret@host#x", "fragment"},
      {"redis://secret@host", "a user without a password"},
      {"redis+unix://:secret@host/path", "a host and a unix socket"},
      {"redis+unix://:secret@/", "names no unix socket"},
      {"redis+unix:///" + std::string(200, 'x'), "too long"},
      {"redis://:se cret@host", "is none"},
      {"nonsense", "is none"},
  };
  for (const auto& row : rows) {
    INFO(row.url);
    const auto said = refusal(row.url);
    INFO(said);
    CHECK(said.find(row.part) != std::string::npos);
    CHECK(said.find("secret") == std::string::npos);
    CHECK(said.find("se cret") == std::string::npos);
  }
}

TEST_CASE("rediss is the same by TLS") {
  const auto t = target_from_url("rediss://:secret@host?tls.verify=false", {});
  CHECK(t.is_protected);
  CHECK_FALSE(t.params.tls.verify);
  CHECK(t.where.name() == "host:6379");
  CHECK(refusal("rediss://h", {.tls = {.key_file = "x"}}).find("client_params.tls.key_file") == 0);
}

TEST_CASE("sentinels are several hosts with a port of their own, and a service") {
  const auto t = target_from_url(
      "redis+sentinel://app:p,@10.0.0.1,10.0.0.2:7000,[::1]/3?service=shop&sentinel_password=x",
      {});
  REQUIRE(t.sentinels.size() == 3);
  CHECK(t.sentinels[0].name() == "10.0.0.1:26379");
  CHECK(t.sentinels[1].name() == "10.0.0.2:7000");
  CHECK(t.sentinels[2].name() == "[::1]:26379");
  CHECK(t.name() == "shop@10.0.0.1:26379,10.0.0.2:7000,[::1]:26379");
  CHECK(t.params.username == "app");
  CHECK(t.params.password == "p,");
  CHECK(t.params.sentinel_password == "x");
  CHECK(t.params.database == 3);
  CHECK_FALSE(t.is_protected);

  CHECK(target_from_url("rediss+sentinel://h", {.service = "shop"}).is_protected);
  CHECK(target_from_url("redis://h", {}).sentinels.empty());
}

TEST_CASE("sentinels that can never work are refused") {
  struct row {
    std::string url;
    std::string part;
  };
  const row rows[] = {
      {"redis+sentinel://h", "client_params.service is \"\""},
      {"redis+sentinel://h?service=a%20b", "client_params.service is"},
      {"redis+sentinel://h,?service=shop", "names no host"},
      {"redis+sentinel://,h?service=shop", "names no host"},
      {"redis+sentinel://h,g:0?service=shop", "a port outside"},
      {"redis+sentinel://h,g h?service=shop", "a host that is none"},
      {"redis+sentinel://h?service=shop&sentinel_username=u", "sentinel_password is empty"},
      {"redis://h,g", "names several hosts"},
      {"redis://h?service=shop", "empty, unless the URL is one of sentinels"},
  };
  for (const auto& row : rows) {
    INFO(row.url);
    const auto said = refusal(row.url);
    INFO(said);
    CHECK(said.find(row.part) != std::string::npos);
  }
}

TEST_CASE("settings out of range name the field, the value and what is legal") {
  CHECK(refusal("redis://h", {.timeout = 0ms}).find("client_params.timeout is ") == 0);
  CHECK(refusal("redis://h", {.max_in_flight = 0}).find("client_params.max_in_flight is ") == 0);
  CHECK(refusal("redis://h", {.client_name = "a b"}).find("client_params.client_name is ") == 0);
  CHECK(refusal("redis://h", {.reconnect = {.base = 1h, .cap = 1s}}).find("reconnect") !=
        std::string::npos);
}

TEST_CASE("a file sets them, and a password is not shown") {
  client_params params;
  settings_origins origins;
  auto file = settings_file::parse(
      R"({"redis": {"timeout": "50ms", "max_reply_bytes": "1MiB", "password": "secret",
                    "reconnect": {"base": "1ms"}}})",
      "shop.json");

  file.apply("redis", client_settings(), params, origins);

  CHECK(params.timeout == 50ms);
  CHECK(params.max_reply_bytes == 1u << 20);
  CHECK(params.reconnect.base == 1ms);
  for (const auto& each : client_settings().describe(params, origins)) {
    if (each.name == "password") CHECK(each.value == "***");
  }
}
