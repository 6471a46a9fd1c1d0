#include "db/postgres/wire_parameters.hpp"
#include "db/postgres/wire_types.hpp"
#include "postgres_values.hpp"
#include "scalekit/core/codec.hpp"
#include "support/throws_errc.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <optional>
#include <string>
#include <vector>

using namespace scalekit;
using namespace scalekit::db::postgres;
using postgres_test::hex;
using support::contains;
using support::error_of;

namespace {

constexpr std::uint32_t int2_array = 1005, int4_array = 1007, text_array = 1009;
constexpr std::uint32_t an_enum = 16390;

/// What libpq would be given for one parameter.
struct sent {
  bool is_null = false;
  int format = -1;
  std::string content;

  bool operator==(const sent&) const = default;
};

template <class T>
sent encoded(std::uint32_t type, const T& value) {
  value_list values;
  scalekit::detail::encode(values, value);
  encoded_parameters parameters;
  parameters.encode(values, std::vector{type});
  REQUIRE(parameters.size() == 1);
  const char* content = parameters.values()[0];
  if (content == nullptr) return {true, parameters.formats()[0], {}};
  const auto size = static_cast<std::size_t>(parameters.lengths()[0]);
  // libpq goes by the NUL in text format, and by the length in binary.
  if (parameters.formats()[0] == 0) CHECK(std::string(content).size() == size);
  return {false, parameters.formats()[0], std::string(content, size)};
}

sent in_binary(std::string_view digits) {
  return {false, 1, hex(digits)};
}
sent in_text(std::string text) {
  return {false, 0, std::move(text)};
}

template <class T>
error refused(std::uint32_t type, const T& value) {
  return error_of([&] { encoded(type, value); });
}

constexpr std::int64_t first_time = -210'866'803'200'000'000;
constexpr std::int64_t a_day = 86'400'000'000;

}  // namespace

TEST_CASE("an integer goes into every type of number that holds it exactly") {
  CHECK(encoded(type_oid::int2, -2) == in_binary("fffe"));
  CHECK(encoded(type_oid::int4, -2) == in_binary("fffffffe"));
  CHECK(encoded(type_oid::int8, -2) == in_binary("fffffffffffffffe"));
  CHECK(encoded(type_oid::oid, 4294967295) == in_binary("ffffffff"));
  CHECK(encoded(type_oid::boolean, true) == in_binary("01"));
  CHECK(encoded(type_oid::float4, 16777216) == in_binary("4b800000"));
  CHECK(encoded(type_oid::float8, 1) == in_binary("3ff0000000000000"));
  CHECK(encoded(type_oid::numeric, std::numeric_limits<std::int64_t>::min()) ==
        in_text("-9223372036854775808"));
  CHECK(encoded(an_enum, 7) == in_text("7"));
}

TEST_CASE("an integer that does not fit is refused, naming the parameter and the range") {
  constexpr auto most = std::numeric_limits<std::int64_t>::max();
  struct {
    std::uint32_t type;
    std::int64_t value;
    const char* text;
  } table[] = {
      {type_oid::int2, 32768, "int2 (-32768 to 32767)"},
      {type_oid::int4, -2147483649, "int4 (-2147483648 to 2147483647)"},
      {type_oid::oid, -1, "oid (0 to 4294967295)"},
      {type_oid::xid8, -1, "xid8"},
      {type_oid::boolean, 2, "neither 0 nor 1"},
      {type_oid::float4, 16777217, "not exact as float4"},
      {type_oid::float8, (std::int64_t{1} << 53) + 1, "not exact as float8"},
      {type_oid::float8, most, "not exact as float8"},
      {type_oid::time, a_day + 1, "0 to 86400000000"},
      {type_oid::date, 1, "not midnight"},
      {type_oid::date, first_time - a_day, "before 4713 BC"},
      {type_oid::timestamptz, first_time - 1, "before 4713 BC"},
      {type_oid::timestamptz, std::numeric_limits<std::int64_t>::min(), "before 4713 BC"},
  };
  for (const auto& row : table) {
    CAPTURE(row.text);
    auto e = refused(row.type, row.value);

    CHECK(e.code() == errc::value_out_of_range);
    CHECK(contains(e.what(), "parameter $1: "));
    CHECK(contains(e.what(), row.text));
    CHECK_FALSE(contains(e.what(), ": " + std::to_string(row.value)));
  }
}

TEST_CASE("times go into timestamps, dates and times of day") {
  CHECK(encoded(type_oid::timestamptz, from_micros(1709210096789000)) ==
        in_binary("0002b58341728608"));
  CHECK(encoded(type_oid::timestamp, from_micros(first_time)) == in_binary("fd0f7cc1411fa000"));
  CHECK(encoded(type_oid::timestamptz, std::numeric_limits<std::int64_t>::max()) ==
        in_binary("7ffca2fec4c81fff"));
  CHECK(encoded(type_oid::date, from_micros(1709164800000000)) == in_binary("00002279"));
  CHECK(encoded(type_oid::date, from_micros(first_time)) == in_binary("ffda97a7"));
  CHECK(encoded(type_oid::time, a_day) == in_binary("000000141dd76000"));
}

TEST_CASE("a real goes into floats and numerics, rounded only where float4 says so") {
  constexpr auto nan = std::numeric_limits<double>::quiet_NaN();
  constexpr auto infinity = std::numeric_limits<double>::infinity();

  CHECK(encoded(type_oid::float8, 0.1) == in_binary("3fb999999999999a"));
  CHECK(encoded(type_oid::float4, 0.1) == in_binary("3dcccccd"));
  CHECK(encoded(type_oid::float4, -infinity) == in_binary("ff800000"));
  CHECK(encoded(type_oid::numeric, 0.1) == in_text("0.1"));
  CHECK(encoded(type_oid::numeric, nan) == in_text("NaN"));
  CHECK(encoded(type_oid::numeric, -infinity) == in_text("-Infinity"));
  CHECK(refused(type_oid::float4, 1e300).code() == errc::value_out_of_range);
  CHECK(refused(type_oid::float4, 1e-300).code() == errc::value_out_of_range);
}

TEST_CASE("text goes anywhere but into bytea; the server parses it") {
  CHECK(encoded(type_oid::text, "abc") == in_binary("616263"));
  CHECK(encoded(type_oid::varchar, "") == in_binary(""));
  CHECK(encoded(type_oid::json, "{}") == in_binary("7b7d"));
  CHECK(encoded(type_oid::jsonb, "{}") == in_text("{}"));
  CHECK(encoded(type_oid::uuid, "x") == in_text("x"));
  CHECK(encoded(type_oid::int4, "7") == in_text("7"));
  CHECK(encoded(an_enum, "sad") == in_text("sad"));
  CHECK(encoded(type_oid::one_char, "a") == in_text("a"));
  CHECK(refused(type_oid::one_char, "ab").code() == errc::value_out_of_range);
  CHECK(refused(type_oid::bytea, "a").code() == errc::parameter_mismatch);
}

TEST_CASE("text with a NUL is refused whatever the type") {
  const std::string with_nul("a\0b", 3);

  for (auto type : {type_oid::text, type_oid::jsonb, an_enum}) {
    CHECK(refused(type, with_nul).code() == errc::value_out_of_range);
  }
  CHECK(refused(text_array, std::vector{with_nul}).code() == errc::value_out_of_range);
}

TEST_CASE("large text and blobs are not copied") {
  value_list values;
  const std::string large(1000, 'x');
  values.add(std::string_view(large));
  values.add(std::as_bytes(std::span(large)));
  encoded_parameters parameters;

  parameters.encode(values, std::vector{type_oid::text, type_oid::bytea});

  CHECK(parameters.values()[0] == values[0].text().data());
  CHECK(static_cast<const void*>(parameters.values()[1]) == values[1].blob().data());
}

TEST_CASE("a null is a null in every type, and an empty value is not") {
  for (auto type : {type_oid::int4, type_oid::text, type_oid::bytea, int4_array, an_enum}) {
    CHECK(encoded(type, std::optional<int>{}).is_null);
  }
  CHECK_FALSE(encoded(type_oid::text, std::string_view()).is_null);
  CHECK_FALSE(encoded(type_oid::bytea, bytes{}).is_null);
}

TEST_CASE("kinds that do not go together are a mismatch that names both") {
  auto number = refused(type_oid::text, 5);
  auto real = refused(type_oid::int4, 0.5);
  auto blob = refused(type_oid::jsonb, bytes{});
  auto array = refused(type_oid::int4, std::vector<int>{1});
  auto element = refused(int4_array, std::vector<double>{1});

  CHECK(number.code() == errc::parameter_mismatch);
  CHECK(contains(number.what(), "parameter $1 is text, the value bound to it is integer"));
  CHECK(real.code() == errc::parameter_mismatch);
  CHECK(blob.code() == errc::parameter_mismatch);
  CHECK(contains(array.what(), "is int4, the value bound to it is an array of integer"));
  CHECK(contains(element.what(), "is int4[], the value bound to it is an array of real"));
  CHECK(refused(int4_array, 5).code() == errc::parameter_mismatch);
  CHECK(refused(an_enum, bytes{}).code() == errc::parameter_mismatch);
}

TEST_CASE("arrays go in binary where their elements do") {
  CHECK(encoded(int4_array, std::vector<std::optional<int>>{1, std::nullopt, -3}) ==
        in_binary("00000001 00000001 00000017 00000003 00000001"
                  "00000004 00000001 ffffffff 00000004 fffffffd"));
  CHECK(encoded(int4_array, std::vector<int>{}) == in_binary("00000000 00000001 00000017"));
  CHECK(encoded(int4_array, std::vector<std::optional<int>>{std::nullopt}) ==
        in_binary("00000001 00000001 00000017 00000001 00000001 ffffffff"));
  CHECK(encoded(text_array, std::vector<std::string>{"a", ""}) ==
        in_binary("00000001 00000001 00000019 00000002 00000001 00000001 61 00000000"));
}

TEST_CASE("arrays whose elements the server must parse go as an array literal") {
  constexpr std::uint32_t numeric_array = 1231, jsonb_array = 3807;

  CHECK(encoded(numeric_array, std::vector<std::optional<int>>{1, std::nullopt}) ==
        in_text(R"({"1",NULL})"));
  CHECK(encoded(jsonb_array, std::vector<std::string>{R"({"a": "\\"})"}) ==
        in_text(R"({"{\"a\": \"\\\\\"}"})"));
  CHECK(encoded(an_enum, std::vector<std::string>{"sad", ""}) == in_text(R"({"sad",""})"));
  CHECK(encoded(an_enum, std::vector<std::string>{}) == in_text("{}"));
}

TEST_CASE("an element that does not fit is named by its number") {
  auto e = refused(int2_array, std::vector<int>{1, 2, 70000});

  CHECK(e.code() == errc::value_out_of_range);
  CHECK(contains(e.what(), "parameter $1, element 3: the integer does not fit int2"));
}

TEST_CASE("the builder is used again and again, also after a failure") {
  encoded_parameters parameters;
  value_list three, wrong;
  scalekit::detail::encode(three, 1);
  scalekit::detail::encode(three, "two");
  scalekit::detail::encode(three, 3.0);
  scalekit::detail::encode(wrong, 1);
  scalekit::detail::encode(wrong, 70000);
  const std::vector types{type_oid::int8, type_oid::uuid, type_oid::float8};

  auto e = error_of([&] { parameters.encode(wrong, std::vector{type_oid::int2, type_oid::int2}); });
  const int after_failure = parameters.size();
  parameters.encode(three, types);
  const auto* first = parameters.values()[0];
  parameters.encode(three, types);

  CHECK(contains(e.what(), "parameter $2: "));
  CHECK(after_failure == 0);
  CHECK(parameters.size() == 3);
  CHECK(parameters.values()[0] == first);
  CHECK(std::string(parameters.values()[1]) == "two");
}

TEST_CASE("another number of values than of parameters is a mismatch") {
  encoded_parameters parameters;
  value_list values;
  values.add_null();

  auto e = error_of([&] { parameters.encode(values, {}); });

  CHECK(e.code() == errc::parameter_mismatch);
  CHECK(contains(e.what(), "the statement has 0 parameters, 1 values were bound"));
}
