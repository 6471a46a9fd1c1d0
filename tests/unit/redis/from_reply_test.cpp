#include "scalekit/redis/from_reply.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

using namespace scalekit;
using namespace scalekit::redis;

namespace {

reply text(std::string bytes) {
  return {.kind = reply_kind::text, .text = std::move(bytes)};
}
reply status(std::string line) {
  return {.kind = reply_kind::status, .text = std::move(line)};
}
reply integer(std::int64_t n) {
  return {.kind = reply_kind::integer, .integer = n};
}
reply array(std::vector<reply> elements) {
  return {.kind = reply_kind::array, .elements = std::move(elements)};
}
reply refused(std::string said) {
  return {.kind = reply_kind::error, .text = std::move(said)};
}

template <class T>
T get(reply r) {
  return from_reply<T>(std::move(r));
}

template <class T>
error failure(reply r) {
  try {
    from_reply<T>(std::move(r));
  } catch (const error& e) {
    return e;
  }
  return error();
}

}  // namespace

TEST_CASE("replies become values") {
  CHECK(get<std::string>(text("a\0b")) == "a\0b");
  CHECK(get<std::string>(status("OK")) == "OK");
  CHECK(get<std::int64_t>(integer(-5)) == -5);
  CHECK(get<int>(text("12")) == 12);
  CHECK(get<std::uint64_t>(text("18446744073709551615")) == 18446744073709551615u);
  CHECK(get<double>(text("2.5")) == 2.5);
  CHECK(get<double>(integer(3)) == 3);
  CHECK(get<bool>(integer(1)));
  CHECK_FALSE(get<bool>(integer(0)));
  CHECK(get<bool>(status("OK")));
  CHECK_FALSE(get<bool>({}));
  CHECK(get<std::optional<std::string>>({}) == std::nullopt);
  CHECK(get<std::optional<int>>(integer(1)) == 1);
  CHECK(get<std::vector<std::optional<std::string>>>(array({text("a"), {}})) ==
        std::vector<std::optional<std::string>>{"a", std::nullopt});
  CHECK(get<std::set<std::string>>(array({text("b"), text("a"), text("b")})) ==
        std::set<std::string>{"a", "b"});
  CHECK(get<std::map<std::string, int>>(array({text("a"), text("1"), text("b"), integer(2)})) ==
        std::map<std::string, int>{{"a", 1}, {"b", 2}});
  CHECK(get<std::tuple<std::int64_t, std::string>>(array({integer(1), text("x")})) ==
        std::tuple<std::int64_t, std::string>{1, "x"});
  CHECK(get<done>(array({})) == done{});
  CHECK(get<reply>(array({integer(1)})) == array({integer(1)}));
}

TEST_CASE("what does not fit says what was asked for and what there is, never the value") {
  struct row {
    error got;
    errc code;
    std::string text;
  };
  const std::vector<row> rows{
      {failure<std::string>({}), errc::not_found, "the reply is nil where text was asked for"},
      {failure<std::string>(integer(7)), errc::column_mismatch,
       "the reply is integer where text was asked for"},
      {failure<int>(text("secret")), errc::column_mismatch,
       "the reply is text where int32 was asked for"},
      {failure<std::int8_t>(integer(200)), errc::value_out_of_range,
       "the reply is a number out of the range of int8, which was asked for"},
      {failure<std::int64_t>(text("99999999999999999999")), errc::value_out_of_range,
       "the reply is a number out of the range of int64, which was asked for"},
      {failure<std::uint32_t>(integer(-1)), errc::value_out_of_range,
       "the reply is a number out of the range of uint32, which was asked for"},
      {failure<bool>(integer(2)), errc::value_out_of_range,
       "the reply is a number out of the range of bool, which was asked for"},
      {failure<std::vector<std::string>>(text("secret")), errc::column_mismatch,
       "the reply is text where array of text was asked for"},
      {failure<std::tuple<int, int>>(array({integer(1)})), errc::column_mismatch,
       "the reply is an array of 1 elements where array of (int32, int32) was asked for"},
      {failure<std::map<std::string, int>>(array({text("a")})), errc::column_mismatch,
       "the reply is an array of 1 elements where map of text to int32 was asked for"},
  };

  for (const auto& row : rows) {
    CHECK(row.got.code() == row.code);
    CHECK(row.got.diag().client_message == row.text);
    CHECK(std::string(row.got.what()).find("secret") == std::string::npos);
  }
}

TEST_CASE("an error inside an array is thrown, unless a result was asked for") {
  const auto mixed = array({integer(1), refused("WRONGTYPE not a list")});

  CHECK(failure<std::vector<int>>(mixed).code() == errc::invalid_argument);
  const auto both = get<std::vector<result<int>>>(mixed);
  REQUIRE(both.size() == 2);
  CHECK(both[0].value() == 1);
  CHECK(both[1].error().code() == errc::invalid_argument);
  CHECK(both[1].error().diag().backend_code == "WRONGTYPE");
}

namespace {

struct price {
  std::int64_t cents = 0;
};

}  // namespace

template <>
struct scalekit::redis::reply_traits<price> {
  static std::string name() { return "price"; }
  static price from(reply&& r) { return {from_reply<std::int64_t>(std::move(r)) * 100}; }
};

TEST_CASE("types of one's own take part") {
  CHECK(get<std::optional<price>>(text("7"))->cents == 700);
  CHECK(reply_traits<std::vector<price>>::name() == "array of price");
}
