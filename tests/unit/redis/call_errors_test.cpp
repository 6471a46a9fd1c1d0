#include "redis/call_errors.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <string>

using namespace scalekit;
using namespace scalekit::redis::detail;
using namespace std::chrono_literals;

namespace {

const std::string get = "GET", incr = "INCR", server = "10.0.0.9:6379";
constexpr time_point now{1h};

}  // namespace

TEST_CASE("a late call says how its connection was") {
  const connection_state state{.is_connected = true,
                               .in_flight = 12,
                               .waiting = 3,
                               .bytes = 2048,
                               .last_heard = now - 240ms};

  const auto e = late_error({get, server, true, true}, state, now - 250ms, now);

  CHECK(e.code() == errc::execution_timeout);
  CHECK(e.diag().origin == server);
  CHECK(e.diag().client_message ==
        "GET: no answer within its timeout, 250 ms after it was sent; on its connection 12 calls "
        "under way and 3 waiting, of 2 KiB together, the last byte came 240 ms ago");
}

TEST_CASE("what may have changed something is in doubt, unless it was not sent") {
  const connection_state state{.is_connected = true};
  const connection_state off{.dial_failure = "Connection refused"};

  CHECK(late_error({incr, server, true, false}, state, now, now).code() == errc::commit_in_doubt);
  CHECK(late_error({incr, server, false, false}, state, now, now).code() == errc::acquire_timeout);
  CHECK(late_error({incr, server, false, false}, off, now, now).code() == errc::unavailable);
  CHECK(lost_error({incr, server, true, false}, "x").code() == errc::commit_in_doubt);
  CHECK(lost_error({get, server, true, true}, "x").code() == errc::connection_lost);
  CHECK(lost_error({incr, server, false, false}, "x").code() == errc::connection_lost);
  CHECK(closed_error({incr, server, false, false}).code() == errc::closed);
  CHECK(closed_error({incr, server, true, false}).code() == errc::commit_in_doubt);
  CHECK(cancelled_error({incr, server, true, false}).code() == errc::cancelled);
}

TEST_CASE("no connection is told with the reason of the last attempt") {
  const auto e = unreachable_error({get, server}, {.waiting = 4, .dial_failure = "refused"});
  CHECK(e.diag().client_message == "GET: no connection: refused; 4 calls waiting");
  CHECK(unreachable_error({get, server}, {}).code() == errc::acquire_timeout);
}
