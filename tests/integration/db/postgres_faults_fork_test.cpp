// A child of fork() and what its parent had open.

#include "postgres_faults_loop.hpp"
#include "support/quiet_threads.hpp"
#include "support/sanitizer.hpp"

#include <memory>
#include <optional>
#include <sys/wait.h>
#include <unistd.h>

using namespace faults;

namespace {

/// Runs `body` in a child that then unwinds; 0 where it returned true.
template <class Body>
int in_child(Body body) {
  support::wait_until_others_sleep();
  const pid_t child = fork();
  if (child == 0) {
    bool ok = false;
    try {
      ok = body();
    } catch (...) {
      ok = false;
    }
    _exit(ok ? 0 : 1);
  }
  int status = -1;
  waitpid(child, &status, 0);
  return status;
}

template <class Action>
bool is_forked(Action action) {
  try {
    action();
  } catch (const error& e) {
    return e.code() == errc::forked;
  }
  return false;
}

}  // namespace

TEST_CASE("a forked child is told so, and what it destroys stays open for its parent") {
  database d("create table t (id int primary key); insert into t values (1)");
  auto client = std::make_unique<db::client>(d.open(patient()));
  const auto read = sql("select id from t where id = $1", 1);
  REQUIRE(warm_up<std::int32_t>(*client, read));
  const auto pid = client->read_one<std::int32_t>(sql("select pg_backend_pid()"));
  auto tx = std::make_unique<db::transaction>(client->begin());
  tx->write(sql("insert into t values (2)"));

  const int status = in_child([&] {
    const bool told = is_forked([&] { client->read_one<std::int32_t>(read); }) &&
                      is_forked([&] { client->write(sql("insert into t values (3)")); }) &&
                      is_forked([&] { client->begin(); }) &&
                      is_forked([&] { tx->write(sql("insert into t values (4)")); }) &&
                      is_forked([&] { client->close(); });
    tx.reset();
    client.reset();
    return told;
  });

  CHECK(status == 0);
  tx->write(sql("insert into t values (5)"));
  tx->commit();
  CHECK(client->read_one<std::int64_t>(sql("select count(*) from t")) == 3);
  CHECK(client->read_one<std::int32_t>(sql("select pg_backend_pid()")) == pid);
  CHECK(client->async_read<std::int32_t>(read, asio::use_future).get().at(0) == 1);
  CHECK(client->statistics().writer.closed.broken == 0);
}

TEST_CASE("a forked child opens a client of its own beside its parent's") {
  if (support::under_thread_sanitizer) {
    MESSAGE("left out: ThreadSanitizer ends a process that starts threads after a fork");
    return;
  }
  database d("create table t (id int primary key); insert into t values (1)");
  auto client = d.open(patient());
  CHECK(client.read_one<std::int64_t>(sql("select count(*) from t")) == 1);

  const int status = in_child([&] {
    auto own = d.open(patient());
    own.write(sql("insert into t values (2)"));
    return own.async_read<std::int64_t>(sql("select count(*) from t"), asio::use_future).get() ==
           std::vector<std::int64_t>{2};
  });

  CHECK(status == 0);
  CHECK(client.read_one<std::int64_t>(sql("select count(*) from t")) == 2);
}
