#include "scalekit/core/error.hpp"
#include "scalekit/core/fork_guard.hpp"
#include "scalekit/core/runtime.hpp"
#include "scalekit/core/work_pool.hpp"
#include "support/quiet_threads.hpp"

#include <doctest/doctest.h>

#include <csignal>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <sys/wait.h>
#include <unistd.h>

using scalekit::errc;
using scalekit::fork_guard;

namespace {

/// Runs `body` in a forked child and returns its exit status; -1 for a child that died or hung.
int in_child(const std::function<int()>& body) {
  support::wait_until_others_sleep();
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    alarm(20);  // a hang ends the child, not the test run
    _exit(body());
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

enum child_status { as_expected = 0, wrong_error = 1, no_error = 2 };

template <class Call>
int expect_forked(const Call& call) {
  try {
    call();
  } catch (const scalekit::error& e) {
    return e.code() == errc::forked ? as_expected : wrong_error;
  }
  return no_error;
}

}  // namespace

TEST_CASE("a guard tells a forked child, and goes on serving the parent") {
  const fork_guard guard;

  const int status = in_child([&] { return expect_forked([&] { guard.check("client"); }); });

  CHECK(status == as_expected);
  CHECK_FALSE(guard.is_forked());
  CHECK_NOTHROW(guard.check("client"));
}

TEST_CASE("the error of a forked child names the handle and the remedy") {
  const fork_guard guard;

  const int status = in_child([&] {
    try {
      guard.check("db::client");
    } catch (const scalekit::error& e) {
      return e.diag().client_message ==
                     "db::client: made before fork(); open a new one in the child process"
                 ? as_expected
                 : wrong_error;
    }
    return no_error;
  });

  CHECK(status == as_expected);
}

TEST_CASE("a guard made in the child serves the child, and tells the grandchild") {
  const int status = in_child([] {
    const fork_guard guard;
    if (guard.is_forked()) return int{wrong_error};
    const pid_t grandchild = fork();
    if (grandchild == 0) _exit(guard.is_forked() ? as_expected : no_error);
    int grandchild_status = 0;
    waitpid(grandchild, &grandchild_status, 0);
    return WEXITSTATUS(grandchild_status);
  });

  CHECK(status == as_expected);
}

TEST_CASE("a child refuses its parent's work pool and destroys it without hanging") {
  auto pool = std::make_unique<scalekit::work_pool>();
  std::promise<void> started;
  pool->post([&] { started.set_value(); });
  started.get_future().get();

  const int status = in_child([&] {
    const int refused = expect_forked([&] { pool->post([] {}); });
    pool.reset();
    return refused;
  });
  std::promise<void> still_works;
  pool->post([&] { still_works.set_value(); });
  still_works.get_future().get();

  CHECK(status == as_expected);
}

TEST_CASE("a child destroys its parent's runtime without hanging") {
  auto rt = std::make_unique<scalekit::runtime>();

  const int status = in_child([&] {
    rt.reset();
    return int{as_expected};
  });
  std::promise<void> still_works;
  boost::asio::post(rt->next_loop(), [&] { still_works.set_value(); });
  still_works.get_future().get();

  CHECK(status == as_expected);
}
