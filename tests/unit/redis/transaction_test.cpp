#include "scalekit/redis/transaction.hpp"

#include "redis/server_error.hpp"
#include "scalekit/core/error.hpp"

#include <doctest/doctest.h>

#include <string>
#include <utility>

using namespace scalekit;
using namespace scalekit::redis;

namespace {

const reply queued{.kind = reply_kind::status, .text = "QUEUED"};

reply refused(std::string said) {
  return {.kind = reply_kind::error, .text = std::move(said)};
}

}  // namespace

TEST_CASE("a transaction goes out as one, and has an answer for each of its parts") {
  const auto r = redis::detail::to_request(transaction(command("INCR", "a"), command("GET", "b")));

  CHECK(r.wire() ==
        "*1\r\n$5\r\nMULTI\r\n*2\r\n$4\r\nINCR\r\n$1\r\na\r\n*2\r\n$3\r\nGET\r\n$1\r\nb\r\n"
        "*1\r\n$4\r\nEXEC\r\n");
  CHECK(r.replies == 4);
  CHECK_FALSE(r.is_read);
  CHECK(redis::detail::to_request(transaction(command("GET", "a"), command("GET", "b"))).is_read);
}

TEST_CASE("what may not stand alone may not stand in a transaction, nor may nothing") {
  CHECK_THROWS_AS(transaction(command("SUBSCRIBE", "c")), error);
  CHECK_THROWS_AS(redis::detail::to_request(transaction()), error);
}

TEST_CASE("the last answer counts, and says what was refused first") {
  const auto r = redis::detail::to_request(transaction(command("INCR", "a"), command("NOSUCH")));
  redis::detail::answers to_come{.awaited = r.replies};

  SUBCASE("all is well") {
    for (int i = 0; i < 3; ++i) CHECK_FALSE(redis::detail::take_answer(to_come, r, reply(queued)));
    const auto last = redis::detail::take_answer(to_come, r, {.kind = reply_kind::array});
    REQUIRE(last);
    CHECK(last->kind == reply_kind::array);
  }
  SUBCASE("a command was refused") {
    CHECK_FALSE(redis::detail::take_answer(to_come, r, reply(queued)));
    CHECK_FALSE(redis::detail::take_answer(to_come, r, reply(queued)));
    CHECK_FALSE(redis::detail::take_answer(to_come, r, refused("ERR unknown command")));
    const auto last =
        redis::detail::take_answer(to_come, r, refused("EXECABORT Transaction discarded"));
    REQUIRE(last);
    const auto e = redis::detail::refusal_of(to_come, r, *last, "s");
    CHECK(e.code() == errc::invalid_statement);
    CHECK(e.diag().server_message == "ERR unknown command");
  }
  SUBCASE("its beginning was refused: nobody knows what was run") {
    CHECK_FALSE(redis::detail::take_answer(to_come, r, refused("NOPERM no permissions")));
    CHECK_FALSE(redis::detail::take_answer(to_come, r, {.kind = reply_kind::integer}));
    CHECK_FALSE(redis::detail::take_answer(to_come, r, refused("ERR unknown command")));
    const auto last = redis::detail::take_answer(to_come, r, refused("ERR EXEC without MULTI"));
    REQUIRE(last);
    CHECK(outcome_unknown(redis::detail::refusal_of(to_come, r, *last, "s")));
  }
}
