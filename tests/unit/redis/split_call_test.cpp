#include "redis/split_call.hpp"

#include "redis/command_keys.hpp"
#include "redis/key_slot.hpp"
#include "scalekit/core/error.hpp"
#include "scalekit/redis/command.hpp"
#include "support/throws_errc.hpp"

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

using namespace scalekit;
using namespace scalekit::redis;
using namespace scalekit::redis::detail;

namespace {

reply number(std::int64_t n) {
  return {.kind = reply_kind::integer, .integer = n};
}

std::exception_ptr failure(errc code) {
  return std::make_exception_ptr(error(code, "a node"));
}

}  // namespace

TEST_CASE("only what can be joined is split") {
  for (const char* name : {"MGET", "mset", "DEL", "UNLINK", "EXISTS", "TOUCH"}) {
    INFO(name);
    CHECK(split_kind_of(to_request(command(name, "a", "b"))) != split_kind::none);
  }
  for (const char* name : {"MSETNX", "SUNION", "RENAME", "EVAL", "GET"}) {
    INFO(name);
    CHECK(split_kind_of(to_request(command(name, "a", "b"))) == split_kind::none);
  }
}

TEST_CASE("each slot gets its keys, in their order, and each key its value") {
  const auto whole =
      to_request(command("MSET", "{x}1", "1", "{y}1", "2", "{x}2", "3", "{y}2", "4"));

  const auto parts = split_by_slot(whole);

  REQUIRE(parts.size() == 2);
  const auto& x = slot_of("x") < slot_of("y") ? parts[0] : parts[1];
  CHECK(x.what.wire() == to_request(command("MSET", "{x}1", "1", "{x}2", "3")).wire());
  CHECK(x.keys == std::vector<std::size_t>{0, 2});
  for (const auto& part : parts) {
    CHECK_FALSE(slots_of(part.what).other);
    CHECK_FALSE(part.what.is_read);
  }
}

TEST_CASE("values come back in the order of the keys") {
  const auto whole = to_request(command("MGET", "a", "b", "a", "c"));
  const auto parts = split_by_slot(whole);
  REQUIRE(parts.size() == 3);
  std::vector<call_outcome> outcomes;
  for (const auto& part : parts) {
    CHECK(part.what.is_read);
    reply some{.kind = reply_kind::array};
    for (const auto at : part.keys) some.elements.push_back(number(static_cast<int>(at)));
    outcomes.push_back({"MGET", {}, std::move(some)});
  }

  const auto all = join(whole, parts, std::move(outcomes));

  REQUIRE(all.elements.size() == 4);
  for (std::size_t i = 0; i < 4; ++i) CHECK(all.elements[i].integer == static_cast<int>(i));
}

TEST_CASE("numbers are added up, and what is none is refused") {
  const auto whole = to_request(command("DEL", "a", "b"));
  const auto parts = split_by_slot(whole);
  CHECK(join(whole, parts, {{"DEL", {}, number(1)}, {"DEL", {}, number(1)}}).integer == 2);
  CHECK_ERRC(join(whole, parts, {{"DEL", {}, number(1)}, {"DEL", {}, reply{}}}),
             errc::backend_error);
  CHECK_ERRC(join(whole, parts, {{"DEL", {}, number(1)}, {"DEL", {}, number(INT64_MAX)}}),
             errc::backend_error);
}

TEST_CASE("a node's array of another length is refused") {
  const auto whole = to_request(command("MGET", "a", "b"));
  const auto parts = split_by_slot(whole);
  CHECK_ERRC(join(whole, parts, {{"MGET", {}, reply{}}, {"MGET", {}, reply{}}}),
             errc::backend_error);
}

TEST_CASE("the worst failure is told, with how much was done") {
  const auto whole = to_request(command("DEL", "a", "b", "c"));
  const auto parts = split_by_slot(whole);

  const auto e = support::error_of([&] {
    join(whole, parts,
         {{"DEL", failure(errc::unavailable), {}},
          {"DEL", {}, number(1)},
          {"DEL", failure(errc::commit_in_doubt), {}}});
  });

  CHECK(e.code() == errc::commit_in_doubt);
  CHECK(e.diag().client_message.ends_with("its keys are in 3 slots, and it was done in 1 of them"));
}
