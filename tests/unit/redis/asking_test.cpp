#include "redis/asking.hpp"

#include "redis/server_error.hpp"
#include "scalekit/redis/command.hpp"
#include "scalekit/redis/script.hpp"
#include "scalekit/redis/transaction.hpp"

#include <doctest/doctest.h>

#include <string>
#include <utility>

using namespace scalekit;
using namespace scalekit::redis;
using namespace scalekit::redis::detail;

namespace {

const std::string asking = "*1\r\n$6\r\nASKING\r\n";

reply refused(std::string said) {
  return {.kind = reply_kind::error, .text = std::move(said)};
}

reply status(std::string said) {
  return {.kind = reply_kind::status, .text = std::move(said)};
}

}  // namespace

TEST_CASE("ASKING is sent with the command, and taken away again") {
  auto r = to_request(command("GET", "k"));
  const std::string bare(r.wire());

  set_asking(r, true);
  CHECK(r.wire() == asking + bare);
  CHECK(r.replies == 2);
  set_asking(r, true);
  CHECK(r.wire() == asking + bare);

  set_asking(r, false);
  CHECK(r.wire() == bare);
  CHECK(r.replies == 1);
  CHECK_FALSE(r.asks);
}

TEST_CASE("a script is asked for with its text") {
  const script s("return 1");
  auto r = to_request(s({"k"}));

  set_asking(r, true);

  CHECK_FALSE(r.script);
  CHECK(r.wire().find("EVALSHA") == std::string_view::npos);
  CHECK(r.wire().find("return 1") != std::string_view::npos);
}

TEST_CASE("what ASKING is answered is nobody's business") {
  auto r = to_request(command("INCR", "k"));
  set_asking(r, true);
  answers to_come{.awaited = r.replies};

  CHECK_FALSE(take_answer(to_come, r, refused("ERR This instance has cluster support disabled")));
  const auto last = take_answer(to_come, r, refused("MOVED 1 host:1"));

  REQUIRE(last);
  CHECK(refusal_of(to_come, r, *last, {}).diag().backend_code == "MOVED");
}

TEST_CASE("a transaction that is asked for tells a refused beginning from a refused command") {
  auto r = to_request(transaction(command("INCR", "k")));
  set_asking(r, true);

  answers untied{.awaited = r.replies};
  take_answer(untied, r, status("OK"));
  take_answer(untied, r, refused("NOPERM MULTI"));
  take_answer(untied, r, {.kind = reply_kind::integer, .integer = 1});
  CHECK(outcome_unknown(refusal_of(untied, r, *take_answer(untied, r, refused("ERR EXEC")), {})));

  answers moved{.awaited = r.replies};
  take_answer(moved, r, status("OK"));
  take_answer(moved, r, status("OK"));
  take_answer(moved, r, refused("TRYAGAIN x"));
  const auto e = refusal_of(moved, r, *take_answer(moved, r, refused("EXECABORT x")), {});
  CHECK(e.diag().backend_code == "TRYAGAIN");
}
