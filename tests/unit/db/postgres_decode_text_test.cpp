#include "db/postgres/wire_decode.hpp"
#include "db/postgres/wire_types.hpp"
#include "postgres_values.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <vector>

using namespace scalekit;
using namespace scalekit::db::postgres;
using postgres_test::decoded;

namespace {

decoded in_text(std::uint32_t type, std::string_view text) {
  return {text_decoder_for(type), std::string(text)};
}

constexpr auto malformed = wire_status::malformed;
constexpr std::uint32_t int4_array = 1007, text_array = 1009, date_array = 1182;
constexpr std::uint32_t an_enum = 16390;
constexpr auto out_of_range = wire_status::out_of_range;

}  // namespace

TEST_CASE("text format gives the values that binary format gives") {
  CHECK(in_text(type_oid::int8, "-9223372036854775808").integer() ==
        std::numeric_limits<std::int64_t>::min());
  CHECK(in_text(type_oid::boolean, "t").integer() == 1);
  CHECK(in_text(type_oid::boolean, "f").integer() == 0);
  CHECK(in_text(type_oid::float4, "0.1").real() == double{0.1f});
  CHECK(in_text(type_oid::float8, "0.1").real() == 0.1);
  CHECK(std::isnan(in_text(type_oid::float8, "NaN").real()));
  CHECK(in_text(type_oid::float8, "-Infinity").real() == -std::numeric_limits<double>::infinity());
  CHECK(in_text(type_oid::numeric, "1.50").text() == "1.50");
  CHECK(in_text(an_enum, "sad").text() == "sad");
  CHECK(in_text(type_oid::bytea, "\\x00ff5c").as<bytes>() ==
        bytes{std::byte{0}, std::byte{255}, std::byte{92}});
  CHECK(in_text(type_oid::bytea, "\\000\\377\\\\a").as<bytes>() ==
        bytes{std::byte{0}, std::byte{255}, std::byte{92}, std::byte{97}});
  CHECK(in_text(type_oid::xid8, "18446744073709551615").status == out_of_range);
}

TEST_CASE("dates and times in text format are microseconds since 1970 UTC") {
  struct {
    std::uint32_t type;
    const char* text;
    std::int64_t micros;
  } table[] = {
      {type_oid::date, "2024-02-29", 1709164800000000},
      {type_oid::date, "4714-11-24 BC", -210866803200000000},
      {type_oid::date, "0001-12-31 BC", -62135683200000000},
      {type_oid::timestamp, "2024-02-29 12:34:56.789", 1709210096789000},
      {type_oid::timestamptz, "2024-02-29 12:34:56.789+00", 1709210096789000},
      {type_oid::timestamptz, "2024-02-29 18:04:56.789+05:30", 1709210096789000},
      {type_oid::timestamptz, "2024-02-29 09:04:56.789-03:30", 1709210096789000},
      {type_oid::timestamptz, "1890-01-01 00:53:28+00:53:28", -2524521600000000},
      {type_oid::timestamptz, "4714-11-24 00:00:00+00 BC", -210866803200000000},
      {type_oid::timestamp, "1969-12-31 23:59:59.999999", -1},
      {type_oid::timestamp, "294247-01-10 04:00:54.775807", 9223372036854775807},
      {type_oid::time, "24:00:00", 86400000000},
      {type_oid::time, "00:00:01.5", 1500000},
  };
  for (const auto& row : table) {
    CAPTURE(row.text);
    CHECK(in_text(row.type, row.text).integer() == row.micros);
  }
  CHECK(in_text(type_oid::timestamp, "294247-01-10 04:00:54.775808").status == out_of_range);
  CHECK(in_text(type_oid::date, "infinity").status == out_of_range);
  CHECK(in_text(type_oid::timestamptz, "-infinity").status == out_of_range);
}

TEST_CASE("arrays in text format keep nulls, quotes and blanks apart") {
  using numbers = std::vector<std::optional<int>>;
  using texts = std::vector<std::optional<std::string>>;

  CHECK(in_text(int4_array, "{}").as<numbers>().empty());
  CHECK(in_text(int4_array, "{1,NULL,-3}").as<numbers>() == numbers{1, std::nullopt, -3});
  CHECK(in_text(int4_array, "[0:1]={7,8}").as<numbers>() == numbers{7, 8});
  CHECK(in_text(text_array, R"({"a b",NULL,"NULL","","\"q\\",x})").as<texts>() ==
        texts{"a b", std::nullopt, "NULL", "", "\"q\\", "x"});
  CHECK(in_text(date_array, "{2024-02-29}").as<std::vector<std::int64_t>>()[0] == 1709164800000000);
  CHECK(in_text(int4_array, "{{1},{2}}").status == out_of_range);
}

TEST_CASE("text that no server would send is malformed") {
  struct {
    std::uint32_t type;
    const char* text;
  } table[] = {
      {type_oid::int4, ""},
      {type_oid::int4, "1 "},
      {type_oid::boolean, "true"},
      {type_oid::float8, ""},
      {type_oid::bytea, "\\x0"},
      {type_oid::bytea, "\\xzz"},
      {type_oid::bytea, "\\40"},
      {type_oid::bytea, "\\777"},
      {type_oid::date, ""},
      {type_oid::date, "24-01-01"},
      {type_oid::date, "2024-13-01"},
      {type_oid::date, "29/02/2024"},
      {type_oid::timestamp, "2024-01-01 1:2:3"},
      {type_oid::timestamptz, "2024-01-01 00:00:00+01:02:03:04"},
      {type_oid::time, "12:00"},
      {type_oid::time, "24:00:01"},
      {int4_array, ""},
      {int4_array, "{"},
      {int4_array, "{1,}"},
      {int4_array, "{,1}"},
      {int4_array, "{1 2}"},
      {int4_array, "[0:1]"},
      {text_array, "{\"a}"},
      {text_array, "{\"a\\\"}"},
      {text_array, "{\"a\"b}"},
  };
  for (const auto& row : table) {
    CAPTURE(row.text);
    CHECK(in_text(row.type, row.text).status == malformed);
  }
}
