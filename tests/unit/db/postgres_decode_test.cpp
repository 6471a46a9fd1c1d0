#include "db/postgres/wire_decode.hpp"
#include "db/postgres/wire_types.hpp"
#include "postgres_values.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <vector>

// The bytes were sent by PostgreSQL 15.

using namespace scalekit;
using namespace scalekit::db::postgres;
using postgres_test::decoded;
using postgres_test::hex;

namespace {

decoded binary(std::uint32_t type, std::string_view digits) {
  return {decoder_for(type), hex(digits)};
}

constexpr auto malformed = wire_status::malformed;
constexpr auto out_of_range = wire_status::out_of_range;

}  // namespace

TEST_CASE("integers of every width come as integers") {
  CHECK(binary(type_oid::int2, "8000").integer() == -32768);
  CHECK(binary(type_oid::int4, "fffffffe").integer() == -2);
  CHECK(binary(type_oid::int8, "8000000000000000").integer() ==
        std::numeric_limits<std::int64_t>::min());
  CHECK(binary(type_oid::oid, "ffffffff").integer() == 4294967295);
  CHECK(binary(type_oid::boolean, "01").integer() == 1);
  CHECK(binary(type_oid::boolean, "00").integer() == 0);
  CHECK(binary(type_oid::xid8, "7fffffffffffffff").integer() ==
        std::numeric_limits<std::int64_t>::max());
  CHECK(binary(type_oid::xid8, "8000000000000000").status == out_of_range);
}

TEST_CASE("floats come as reals, a float4 as the double it exactly is") {
  CHECK(binary(type_oid::float8, "3fb999999999999a").real() == 0.1);
  CHECK(binary(type_oid::float4, "3dcccccd").real() == double{0.1f});
  CHECK(std::isnan(binary(type_oid::float4, "7fc00000").real()));
  CHECK(binary(type_oid::float8, "fff0000000000000").real() ==
        -std::numeric_limits<double>::infinity());
}

TEST_CASE("text, json and bytea are seen in place, without a copy") {
  for (auto type : {type_oid::text, type_oid::varchar, type_oid::bpchar, type_oid::json}) {
    auto text = binary(type, "6162");

    CHECK(text.text() == "ab");
    CHECK(text.value.text().data() == text.wire.data());
  }
  auto jsonb = binary(type_oid::jsonb, "01 7b2261223a20317d");
  auto bytea = binary(type_oid::bytea, "00ff5c");

  CHECK(jsonb.text() == R"({"a": 1})");
  CHECK(jsonb.value.text().data() == jsonb.wire.data() + 1);
  CHECK(bytea.value.kind() == value_kind::blob);
  CHECK(bytea.value.blob().size() == 3);
  CHECK(binary(type_oid::text, "").text().empty());
  CHECK(binary(type_oid::jsonb, "02 7b7d").status == malformed);
}

TEST_CASE("a \"char\" is text whatever its byte") {
  CHECK(binary(type_oid::one_char, "61").text() == "a");
  CHECK(binary(type_oid::one_char, "00").text().empty());
  CHECK(binary(type_oid::one_char, "ff").text() == "\\377");
}

TEST_CASE("a numeric is the text the server would print") {
  struct {
    const char* wire;
    const char* text;
  } table[] = {
      {"0000 0000 0000 0000", "0"},
      {"0000 0000 0000 0003", "0.000"},
      {"0003 0001 4000 0004 0001 0929 1a85", "-12345.6789"},
      {"0001 fffe 0000 0005 03e8", "0.00001"},
      {"0001 0001 0000 0000 0001", "10000"},
      {"0001 0005 0000 0000 0001", "100000000000000000000"},
      {"0009 0007 0000 0002 000c 0d80 1ed2 04d2 162e 2334 0d80 1ed2 03e8",
       "123456789012345678901234567890.10"},
      {"0000 0000 c000 0000", "NaN"},
      {"0000 0000 d000 0020", "Infinity"},
      {"0000 0000 f000 0020", "-Infinity"},
  };
  for (const auto& row : table) {
    CAPTURE(row.wire);
    CHECK(binary(type_oid::numeric, row.wire).text() == row.text);
  }
}

TEST_CASE("a numeric of a thousand digits is whole") {
  std::string wire = "00fa 00f9 0000 0000";
  for (int i = 0; i < 250; ++i) wire += " 04d2";

  const auto text = binary(type_oid::numeric, wire).text();

  CHECK(text.size() == 1000);
  CHECK(text.starts_with("123412341234"));
  CHECK(text.ends_with("12341234"));
}

TEST_CASE("a numeric that no server would send is malformed") {
  for (const char* wire : {"", "0000 0000 0000", "0001 0000 0000 0000", "0000 0000 0000 0000 0001",
                           "ffff 0000 0000 0000", "0001 0000 0000 0000 2710", "0000 0000 1234 0000",
                           "0000 0000 0000 4000"}) {
    CAPTURE(wire);
    CHECK(binary(type_oid::numeric, wire).status == malformed);
  }
}

TEST_CASE("dates and timestamps are microseconds since 1970 UTC") {
  CHECK(binary(type_oid::date, "00002279").integer() == 1709164800000000);
  CHECK(binary(type_oid::date, "ffda97a7").integer() == -210866803200000000);
  CHECK(binary(type_oid::timestamptz, "0002b58341728608").integer() == 1709210096789000);
  CHECK(binary(type_oid::timestamp, "0002b58341728608").integer() == 1709210096789000);
  CHECK(binary(type_oid::timestamptz, "fd0f7cc1411fa000").integer() == -210866803200000000);
  CHECK(binary(type_oid::timestamptz, "7ffca2fec4c81fff").integer() ==
        std::numeric_limits<std::int64_t>::max());
  CHECK(binary(type_oid::time, "000000141dd76000").integer() == 86400000000);
}

TEST_CASE("infinity and years that 64 bits cannot hold are out of range, never another time") {
  CHECK(binary(type_oid::date, "7fffffff").status == out_of_range);
  CHECK(binary(type_oid::date, "80000000").status == out_of_range);
  CHECK(binary(type_oid::date, "7fda970c").status == out_of_range);
  CHECK(binary(type_oid::timestamptz, "7fffffffffffffff").status == out_of_range);
  CHECK(binary(type_oid::timestamptz, "8000000000000000").status == out_of_range);
  CHECK(binary(type_oid::timestamptz, "7ffca2fec4c82000").status == out_of_range);
  CHECK(binary(type_oid::timestamptz, "7fffff5bb3b29fff").status == out_of_range);
  CHECK(binary(type_oid::time, "000000141dd76001").status == malformed);
}

TEST_CASE("an interval is its three parts, each with its sign") {
  CHECK(binary(type_oid::interval, "0000000283baec00 fffffffe 00000001").text() ==
        "1 mon -2 days +03:00:00");
  CHECK(binary(type_oid::interval, "0000000000000000 00000000 00000000").text() == "00:00:00");
  CHECK(binary(type_oid::interval, "ffffffffffe91ca0 ffffffff fffffff4").text() ==
        "-1 years -1 days -00:00:01.5");
  CHECK(binary(type_oid::interval, "00000014f46b0400 00000000 00000000").text() == "25:00:00");
  CHECK(binary(type_oid::interval, "8000000000000000 00000000 00000000").text() ==
        "-2562047788:00:54.775808");
  CHECK(binary(type_oid::interval, "7fffffffffffffff 7fffffff 7fffffff").text() == "infinity");
}

TEST_CASE("uuids, addresses and log positions are their usual text") {
  CHECK(binary(type_oid::uuid, "00112233445566778899aabbccddeeff").text() ==
        "00112233-4455-6677-8899-aabbccddeeff");
  CHECK(binary(type_oid::inet, "02200004 0a010203").text() == "10.1.2.3");
  CHECK(binary(type_oid::inet, "02080004 0a010203").text() == "10.1.2.3/8");
  CHECK(binary(type_oid::cidr, "02200104 01020304").text() == "1.2.3.4/32");
  CHECK(binary(type_oid::inet, "03400010 20010db8000000000000000000000001").text() ==
        "2001:db8::1/64");
  CHECK(binary(type_oid::inet, "03800010 00000000000000000000ffff01020304").text() ==
        "::ffff:1.2.3.4");
  CHECK(binary(type_oid::inet, "03800010 00000000000000000000000000000002").text() == "::2");
  CHECK(binary(type_oid::inet, "03800010 00000000000000000000000000000000").text() == "::");
  CHECK(binary(type_oid::macaddr, "08002b0102ff").text() == "08:00:2b:01:02:ff");
  CHECK(binary(type_oid::pg_lsn, "00000016b374d848").text() == "16/B374D848");
  CHECK(binary(type_oid::inet, "02210004 0a010203").status == malformed);
  CHECK(binary(type_oid::inet, "02200010 0a010203").status == malformed);
  CHECK(binary(type_oid::inet, "04200004 0a010203").status == malformed);
}

TEST_CASE("arrays of one dimension come as arrays, with their nulls") {
  constexpr std::uint32_t int4_array = 1007, text_array = 1009, bytea_array = 1001;
  using numbers = std::vector<std::optional<int>>;
  using texts = std::vector<std::optional<std::string>>;

  CHECK(binary(int4_array, "00000000 00000000 00000017").as<numbers>().empty());
  CHECK(binary(int4_array,
               "00000001 00000001 00000017 00000003 00000001"
               "00000004 00000001 ffffffff 00000004 fffffffd")
            .as<numbers>() == numbers{1, std::nullopt, -3});
  CHECK(binary(int4_array,
               "00000001 00000000 00000017 00000002 00000000"
               "00000004 00000007 00000004 00000008")
            .as<std::vector<int>>() == std::vector<int>{7, 8});
  CHECK(binary(text_array,
               "00000001 00000001 00000019 00000003 00000001"
               "00000001 61 ffffffff 00000000")
            .as<texts>() == texts{"a", std::nullopt, ""});
  CHECK(binary(1231,
               "00000001 00000000 000006a4 00000001 00000001"
               "0000000c 0002 0000 0000 0002 0001 1388")
            .as<texts>() == texts{"1.50"});
  CHECK(binary(bytea_array, "00000001 00000000 00000011 00000001 00000001 00000002 00ff")
            .as<std::vector<bytes>>() == std::vector<bytes>{{std::byte{0}, std::byte{255}}});
}

TEST_CASE("an array that does not fit or does not add up is refused") {
  constexpr std::uint32_t int4_array = 1007;
  const std::string two_dimensions =
      "00000002 00000000 00000017 00000002 00000001 00000001 00000001"
      "00000004 00000001 00000004 00000002";
  struct {
    const char* what;
    std::string wire;
    wire_status wanted;
  } table[] = {
      {"two dimensions", two_dimensions, out_of_range},
      {"an infinite date", "00000001 00000000 0000043a 00000001 00000001 00000004 7fffffff",
       out_of_range},
      {"an element type nobody knows", "00000001 00000000 00004001 00000001 00000001 00000001 61",
       wire_status::unsupported},
      {"nothing", "", malformed},
      {"no dimension, yet more bytes", "00000000 00000000 00000017 00", malformed},
      {"billions of elements", "00000001 00000000 00000017 7fffffff 00000001", malformed},
      {"an element longer than the rest",
       "00000001 00000000 00000019 00000001 00000001 00000005 61", malformed},
      {"an element shorter than nothing", "00000001 00000000 00000019 00000001 00000001 fffffffe",
       malformed},
      {"an element of the wrong size", "00000001 00000000 00000017 00000001 00000001 00000002 0001",
       malformed},
      {"bytes behind the last element",
       "00000001 00000000 00000017 00000001 00000001 00000004 00000001 00", malformed},
      {"arrays in the array", "00000001 00000000 000003ef 00000001 00000001 00000000", malformed},
  };
  for (const auto& row : table) {
    CAPTURE(row.what);
    CHECK(binary(int4_array, row.wire).status == row.wanted);
  }
}

TEST_CASE("a value of the wrong length is malformed") {
  for (auto type :
       {type_oid::boolean, type_oid::int2, type_oid::int4, type_oid::int8, type_oid::oid,
        type_oid::xid8, type_oid::float4, type_oid::float8, type_oid::date, type_oid::time,
        type_oid::timestamp, type_oid::interval, type_oid::uuid, type_oid::inet, type_oid::macaddr,
        type_oid::pg_lsn, type_oid::one_char}) {
    CAPTURE(type);
    CHECK(binary(type, "").status == malformed);
    CHECK(binary(type, "010203").status == malformed);
    CHECK(binary(type, std::string(60, '0')).status == malformed);
  }
}

TEST_CASE("enums, ranges and other types that only the database knows are not for binary format") {
  constexpr std::uint32_t point = 600, an_enum = 16390;

  CHECK(is_binary_decodable(type_oid::numeric));
  CHECK(is_binary_decodable(1231));
  CHECK_FALSE(is_binary_decodable(point));
  CHECK_FALSE(is_binary_decodable(an_enum));
  CHECK_FALSE(is_binary_decodable(0));
  CHECK(binary(an_enum, "736164").status == wire_status::unsupported);
  CHECK(type_name_of(type_oid::int4) == "int4");
  CHECK(type_name_of(1007) == "int4[]");
  CHECK(type_name_of(an_enum) == "type 16390");
}
