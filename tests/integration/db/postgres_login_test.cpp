// Who is let in, and what a server that does not do so says about itself.

#include "db/postgres/dial.hpp"
#include "db/postgres/evidence.hpp"
#include "postgres_fixture.hpp"
#include "support/reserved_port.hpp"
#include "support/tcp_proxy.hpp"
#include "support/wait_until.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <locale.h>
#include <mutex>
#include <optional>
#include <signal.h>
#include <stdexcept>
#include <string>
#include <string_view>
#include <sys/resource.h>
#include <vector>

using namespace postgres_test;
using namespace std::chrono_literals;
using scalekit::db::detail::host_error;
using scalekit::db::postgres::dialed;
using support::contains;
using support::postgres::server;

namespace {

dialed dial(const std::string& url) {
  const auto where = scalekit::db::postgres::settings_from_url(url, {});
  return scalekit::db::postgres::dial(where.servers.front(), std::chrono::steady_clock::now() + 60s,
                                      {});
}

}  // namespace

TEST_CASE("a server that refuses in another language is understood") {
  server s({.max_connections = 8, .password = "richtig", .language = "de"});
  auto wrong = s.url();
  wrong.insert(wrong.find('@'), "er");

  for (const auto& url : {wrong, s.socket_url("nowhere"), s.socket_url() + "&user=nobody",
                          s.socket_url() + "&options=-c%20work_mem%3Dmuch"}) {
    const auto got = dial(url);
    CAPTURE(got.failure);
    CHECK(got.hopeless);
    CHECK_FALSE(evidence_of(got));
    CHECK(contains(got.failure, "FATAL:  " + got.state + ": "));
    CHECK_FALSE(contains(got.failure, ".c:"));
  }
  std::vector<dialed> all;
  for (int i = 0; i < 20; ++i) all.push_back(dial(s.socket_url()));
  CHECK(all.front().connection);
  CHECK(all.back().state == "53300");
  CHECK_FALSE(all.back().hopeless);
  CHECK_FALSE(evidence_of(all.back()));
}

TEST_CASE("a server that shuts down says so in another language") {
  server s({.language = "de"});
  const auto guest = dial(s.socket_url());
  REQUIRE(guest.connection);

  // Waits for its guests, and takes no others.
  REQUIRE(::kill(s.pid(), SIGTERM) == 0);

  std::optional<host_error> said;
  CHECK(support::wait_until([&] {
    said = evidence_of(dial(s.socket_url()));
    return said.has_value();
  }));
  CHECK(said == host_error::shutting_down);
}

TEST_CASE("connect_timeout bounds an attempt to connect, where it is shorter than create_timeout") {
  const support::reserved_port nobody;
  support::tcp_proxy mute(nobody.number());
  mute.set_accepting(support::accept_mode::hang);
  const auto url = "postgresql://postgres@127.0.0.1:" + std::to_string(mute.port()) + "/postgres";

  // libpq takes 1 for 2.
  const auto got = dial(url + "?connect_timeout=1");

  CHECK(got.failure == "no answer to the login within connect_timeout, 2 s");
  CHECK(evidence_of(got) == host_error::lost);
  CHECK_FALSE(got.hopeless);
}

TEST_CASE("connect_timeout is read as libpq reads it, in the URL and in the environment") {
  const auto limit = [](const std::string& query) {
    return scalekit::db::postgres::settings_from_url("postgresql://a@10.0.0.1,10.0.0.2/b" + query,
                                                     {})
        .servers.back()
        .connect_timeout;
  };

  CHECK(limit("") == std::nullopt);
  CHECK(limit("?connect_timeout=0") == std::nullopt);
  CHECK(limit("?connect_timeout=-3") == std::nullopt);
  CHECK(limit("?connect_timeout=1") == 2s);
  CHECK(limit("?connect_timeout=7") == 7s);
  CHECK(limit("?connect_timeout=%207%20") == 7s);
  for (const auto* wrong : {"?connect_timeout=soon", "?connect_timeout=2s",
                            "?connect_timeout=99999999999", "?connect_timeout=%20"}) {
    CAPTURE(wrong);
    CHECK_THROWS_AS(limit(wrong), std::invalid_argument);
  }
  ::setenv("PGCONNECT_TIMEOUT", "9", 1);
  CHECK(limit("") == 9s);
  CHECK(limit("?connect_timeout=3") == 3s);
  ::unsetenv("PGCONNECT_TIMEOUT");
}

namespace {

/// The program speaks German, as a host's may.
class german_host {
 public:
  german_host() {
    ::setenv("LANGUAGE", "de", 1);
    ::setlocale(LC_MESSAGES, "C.UTF-8");
  }
  ~german_host() {
    ::setlocale(LC_MESSAGES, "C");
    ::unsetenv("LANGUAGE");
  }
  german_host(const german_host&) = delete;
  german_host& operator=(const german_host&) = delete;
};

}  // namespace

TEST_CASE("why there is no connection is understood in hosts of another language") {
  const auto without_tls = shared_server().url() + "?sslmode=require";
  const support::reserved_port nobody;
  const auto nowhere =
      "postgresql://postgres@127.0.0.1:" + std::to_string(nobody.number()) + "/postgres";
  const german_host speaks;

  const auto unsafe = dial(without_tls);
  const auto refused = dial(nowhere);

  CHECK(unsafe.hopeless);
  CHECK(contains(unsafe.failure, "SSL was required"));
  CHECK(evidence_of(refused) == host_error::refused);
  CHECK((::uselocale(nullptr) == LC_GLOBAL_LOCALE));
}

namespace {

/// Where passwords come from, and change.
class vault {
 public:
  explicit vault(std::string password) : password_(std::move(password)) {}

  /// Empty: it is sealed.
  void set(const std::string& password) {
    std::lock_guard lock(mutex_);
    password_ = password;
  }
  std::vector<std::string> asked_for() const {
    std::lock_guard lock(mutex_);
    return asked_for_;
  }
  db::credentials_source source(std::string user = {}) {
    return [this, user](std::string_view server) {
      std::lock_guard lock(mutex_);
      asked_for_.emplace_back(server);
      if (password_.empty()) throw std::runtime_error("the vault is sealed");
      return db::credentials{.user = user, .password = password_};
    };
  }

 private:
  mutable std::mutex mutex_;
  std::string password_;
  std::vector<std::string> asked_for_;
};

/// Asks for a password that it does not tell.
struct guarded_server : server {
  guarded_server() : server({.password = "first secret"}) {
    exec("create role app login password 'first secret'");
  }
  std::string open_url() const {
    return "postgresql://postgres@127.0.0.1:" + std::to_string(port()) + "/postgres";
  }
  void change_password(const std::string& to) const {
    exec("alter role postgres password '" + to + "'; alter role app password '" + to + "'");
  }
};

std::string user_of(db::client& client) {
  return client.read_one<std::string>(sql("select current_user::text"));
}

}  // namespace

TEST_CASE("a password that changes is asked for with each connection") {
  guarded_server s;
  vault v("first secret");
  std::mutex mutex;
  std::string logged;
  auto client =
      db::client::open(s.open_url(), {.pool = {.min = 0, .create_retry_interval = 10ms},
                                      .credentials = v.source(),
                                      .log = scalekit::log_sink([&](const scalekit::log_record& r) {
                                        std::lock_guard lock(mutex);
                                        logged.append(r.event).append(r.message);
                                      })});
  CHECK(user_of(client) == "postgres");
  CHECK(v.asked_for() == std::vector<std::string>{"127.0.0.1:" + std::to_string(s.port())});

  s.change_password("second secret");
  CHECK(user_of(client) == "postgres");
  CHECK(v.asked_for().size() == 1);
  s.terminate_backends();
  const auto stale = support::error_of([&] {
    // The first may find out that its connection is gone.
    for (int i = 0; i < 3; ++i) user_of(client);
  });
  v.set("second secret");

  CHECK(stale.code() == errc::unavailable);
  CHECK(contains(stale.what(), "password authentication failed"));
  CHECK(support::wait_until([&] {
    try {
      return user_of(client) == "postgres";
    } catch (const scalekit::error&) {
      return false;
    }
  }));
  std::lock_guard lock(mutex);
  CHECK(contains(logged, "db.pool.dial_failed"));
  CHECK_FALSE(contains(logged + stale.what(), "secret"));
}

TEST_CASE("credentials that cannot be had are why nobody gets a connection") {
  guarded_server s;
  vault v("");
  auto client = db::client::open(
      s.open_url(), {.pool = {.create_retry_interval = 10ms}, .credentials = v.source()});
  auto odd = db::client::open(
      s.open_url(), {.pool = {.create_retry_interval = 10ms}, .credentials = [](std::string_view) {
                       return db::credentials{.password = std::string("a\0b", 3)};
                     }});

  const auto e = support::error_of([&] { user_of(client); });
  CHECK(e.code() == errc::unavailable);
  CHECK(contains(e.what(), "no credentials to log in with: the vault is sealed"));
  CHECK(contains(support::error_of([&] { user_of(odd); }).what(), "a NUL in the user"));
  v.set("first secret");
  CHECK(support::wait_until([&] {
    try {
      return user_of(client) == "postgres";
    } catch (const scalekit::error&) {
      return false;
    }
  }));
}

TEST_CASE("the source of credentials says who logs in, for clients and listeners") {
  guarded_server s;
  vault v("first secret");
  auto client = db::client::open(s.open_url(), {.credentials = v.source("app")});
  std::atomic<int> heard{0};
  db::listener listener(s.open_url(), {.channels = {"news"},
                                       .on_notification = [&](const auto&) { ++heard; },
                                       .credentials = v.source("app")});

  CHECK(user_of(client) == "app");
  REQUIRE(support::wait_until([&] { return listener.is_listening(); }));
  s.exec("notify news");
  CHECK(support::wait_until([&] { return heard == 1; }));
  CHECK(
      s.wait_for("select count(distinct usename) || min(usename) from pg_stat_activity"
                 " where backend_type = 'client backend' and pid <> pg_backend_pid()",
                 "1app"));
}

namespace {

/// While it lives the process opens no file and no socket.
class no_descriptors {
 public:
  no_descriptors() {
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &before_) == 0);
    // Those that are open stay. The next number would be the lowest that is free.
    const auto none = rlimit{0, before_.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
  }
  ~no_descriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }
  no_descriptors(const no_descriptors&) = delete;
  no_descriptors& operator=(const no_descriptors&) = delete;

 private:
  rlimit before_{};
};

}  // namespace

TEST_CASE("without a descriptor left there is no connection, and with one there is") {
  const database d;
  auto client = d.open({.pool = {.create_retry_interval = 10ms}});
  {
    const no_descriptors left;

    const auto e = support::error_of([&] { client.read_one<int>(sql("select 1")); });

    CHECK(e.code() == errc::unavailable);
    CHECK(contains(e.what(), "descriptor"));
  }
  CHECK(support::wait_until([&] {
    try {
      return client.read_one<int>(sql("select 1")) == 1;
    } catch (const scalekit::error&) {
      return false;
    }
  }));
}
