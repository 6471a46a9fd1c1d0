// The fixtures that the tests of the PostgreSQL driver stand on.

#include "support/postgres/admin.hpp"
#include "support/postgres/cluster.hpp"
#include "support/postgres/pgbouncer.hpp"
#include "support/postgres/server.hpp"
#include "support/tcp_proxy.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <filesystem>
#include <signal.h>
#include <stdexcept>
#include <string>
#include <sys/wait.h>
#include <unistd.h>

using namespace std::chrono_literals;
using namespace support::postgres;

namespace {

/// The server behind `proxy`, asked through it.
std::string ask(const support::tcp_proxy& proxy, const std::string& sql,
                std::chrono::milliseconds patience = support::long_patience) {
  return run_sql("postgresql://postgres@127.0.0.1:" + std::to_string(proxy.port()) + "/postgres",
                 sql, patience)
      .value_or("");
}

}  // namespace

TEST_CASE("a server of one's own answers, restarts and keeps its rows") {
  server s;
  s.exec("create table t (a int); insert into t values (7)");

  CHECK(s.query_one("select a from t") == "7");
  CHECK(run_sql(s.url(), "select a from t") == "7");
  const auto port = s.port();
  s.restart();
  CHECK(s.query_one("select a from t") == "7");
  s.kill9();
  CHECK_THROWS_AS(run_sql(s.url(), "select 1"), std::runtime_error);
  s.start();
  CHECK(s.query_one("select a from t") == "7");
  CHECK(s.port() == port);
  CHECK(s.query_one("show fsync") == "off");
}

TEST_CASE("a server that cannot start says why") {
  std::string text;

  try {
    server s({.more = {{"shared_buffers", "nonsense"}}});
  } catch (const std::runtime_error& e) {
    text = e.what();
  }

  CHECK(text.find("invalid value for parameter \"shared_buffers\"") != std::string::npos);
}

TEST_CASE("a frozen server answers nobody, and goes on when thawed") {
  server s;

  s.freeze();
  CHECK_THROWS_AS(s.query_one("select 1", "postgres", 300ms), std::runtime_error);
  s.thaw();

  CHECK(s.query_one("select 1") == "1");
}

TEST_CASE("a server asks for a password, offers TLS, reads settings again and loses backends") {
  server s({.tls = true, .password = "p@ss w'rd", .more = {{"work_mem", "5MB"}}});
  const auto verified = s.url() + "?sslmode=verify-full&sslrootcert=" + s.ca_file().string();
  auto wrong = s.url();
  wrong.insert(wrong.find('@'), "x");

  CHECK(run_sql(verified, "select ssl from pg_stat_ssl where pid = pg_backend_pid()") == "t");
  CHECK_THROWS_AS(run_sql(wrong, "select 1"), std::runtime_error);
  CHECK(s.query_one("show work_mem") == "5MB");
  s.reload({{"work_mem", "6MB"}});
  CHECK(s.query_one("show work_mem") == "6MB");
  CHECK(run_sql(s.create_database("of a case"), "select current_database()") == "of a case");
  CHECK(s.terminate_backends() == 0);
}

TEST_CASE("a server has an identity of its own when asked to") {
  const std::string identity = "select system_identifier from pg_control_system()";
  server any, own({.own_identity = true});

  CHECK(any.query_one(identity) != own.query_one(identity));
}

TEST_CASE("a server and its directory go with a test process that is killed") {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  const pid_t test = fork();
  if (test == 0) {
    server s;
    const auto line = std::to_string(s.pid()) + " " + s.socket_dir().string() + "\n";
    if (write(ends[1], line.data(), line.size()) > 0) pause();
    _exit(1);
  }
  close(ends[1]);
  FILE* said = fdopen(ends[0], "r");
  long pid = 0;
  char dir[256] = "";
  REQUIRE(fscanf(said, "%ld %255s", &pid, dir) == 2);
  fclose(said);
  REQUIRE(kill(static_cast<pid_t>(pid), 0) == 0);

  kill(test, SIGKILL);
  waitpid(test, nullptr, 0);

  CHECK(support::wait_until([&] { return !std::filesystem::exists(dir); }));
  // A zombie, when nobody adopts it, has no files open any more.
  CHECK(support::wait_until(
      [&] { return !std::filesystem::exists("/proc/" + std::to_string(pid) + "/exe"); }));
}

TEST_CASE("replicas see rows, pause, lag, take over and come back") {
  cluster c({.replicas = 2});
  c.primary().exec("create table t (a int); insert into t values (1)");
  const std::string count = "select count(*) from t";

  c.wait_until_caught_up();
  CHECK(c.node(1).query_one(count) == "1");
  CHECK(c.node(2).query_one(count) == "1");

  c.pause_replay(1);
  c.primary().exec("insert into t values (2)");
  c.wait_until_caught_up(2);
  CHECK(c.node(1).query_one(count) == "1");
  CHECK(c.node(2).query_one(count) == "2");
  c.resume_replay(1);
  c.wait_until_caught_up();
  CHECK(c.node(1).query_one(count) == "2");

  c.set_apply_delay(2, 1h);
  c.primary().exec("insert into t values (3)");
  c.wait_until_caught_up(1);
  CHECK(c.node(2).query_one(count) == "2");
  c.set_apply_delay(2, 0ms);
  c.wait_until_caught_up(2);
  CHECK(c.node(2).query_one(count) == "3");

  c.node(0).kill9();
  c.promote(1);
  c.follow_primary(2);
  c.rebuild(0);
  c.primary().exec("insert into t values (4)");
  c.wait_until_caught_up();
  CHECK(c.node(0).query_one(count) == "4");
  CHECK(c.node(2).query_one(count) == "4");
  CHECK(run_sql(c.url() + "?target_session_attrs=read-write", count) == "4");
}

TEST_CASE("a synchronous commit is seen on the replica at once") {
  cluster c({.replicas = 1, .mode = replication::remote_apply});
  c.primary().exec("create table t (a int)");

  for (int i = 1; i <= 20; ++i) {
    c.primary().exec("insert into t values (1)");
    CHECK(c.node(1).query_one("select count(*) from t") == std::to_string(i));
  }
}

TEST_CASE("a proxy passes on, fragments, slows, cuts, swallows and refuses") {
  server s;
  support::tcp_proxy proxy(s.port());
  const std::string many = "select repeat('x', 100000)";

  CHECK(ask(proxy, many).size() == 100000);
  CHECK(proxy.accepted() == 1);

  proxy.set_to_client({.max_chunk = 1});
  proxy.set_to_server({.max_chunk = 1, .bytes_per_second = 20000});
  CHECK(ask(proxy, "select 5") == "5");
  proxy.heal();

  proxy.set_to_server({.delay = 50ms});
  const auto before = std::chrono::steady_clock::now();
  CHECK(ask(proxy, "select 5") == "5");
  // Startup packet and query.
  CHECK(std::chrono::steady_clock::now() - before >= 100ms);
  proxy.heal();

  proxy.set_to_client({.cut_after = 50000});
  CHECK_THROWS_AS(ask(proxy, many), std::runtime_error);
  proxy.heal();

  proxy.set_to_client({.swallow = true});
  CHECK_THROWS_AS(ask(proxy, "select 5", 200ms), std::runtime_error);
  proxy.heal();

  proxy.set_accepting(support::accept_mode::hang);
  CHECK_THROWS_AS(ask(proxy, "select 5", 200ms), std::runtime_error);
  proxy.set_accepting(support::accept_mode::refuse);
  CHECK_THROWS_AS(ask(proxy, "select 5"), std::runtime_error);
  proxy.heal();

  CHECK(ask(proxy, "select 5") == "5");
  CHECK(support::wait_until([&] { return proxy.connections() == 0; }));
}

TEST_CASE("a proxy cuts connections that wait for an answer") {
  server s;
  support::tcp_proxy proxy(s.port());

  for (const auto kind : {support::cut_kind::reset, support::cut_kind::finish}) {
    std::thread waiting(
        [&] { CHECK_THROWS_AS(ask(proxy, "select pg_sleep(50)"), std::runtime_error); });
    CHECK(s.wait_for("select count(*) from pg_stat_activity where query = 'select pg_sleep(50)'",
                     "1"));
    proxy.cut_all(kind);
    waiting.join();
    CHECK(s.terminate_backends("query = 'select pg_sleep(50)'") == 1);
  }
}

TEST_CASE("PgBouncer answers in either mode, with a password or without") {
  server open, closed({.password = "secret"});
  pgbouncer transactions(open, {.pool_size = 2});
  pgbouncer sessions(closed, {.mode = pool_mode::session});

  CHECK(run_sql(transactions.url(), "select 3") == "3");
  CHECK(run_sql(transactions.url(open.create_database("other").empty() ? "" : "other"),
                "select current_database()") == "other");
  CHECK(run_sql(sessions.url(), "select 3") == "3");
  CHECK(transactions.console("show version").starts_with("PgBouncer"));
  transactions.stop();
  CHECK_THROWS_AS(run_sql(transactions.url(), "select 3"), std::runtime_error);
  transactions.start();
  CHECK(run_sql(transactions.url(), "select 4") == "4");
}
