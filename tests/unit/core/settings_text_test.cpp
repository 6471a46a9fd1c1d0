#include "scalekit/core/settings_text.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <limits>

using namespace std::chrono_literals;
using scalekit::format_duration;
using scalekit::format_size;
using scalekit::parse_bool;
using scalekit::parse_duration;
using scalekit::parse_size;

TEST_CASE("durations are read with their unit") {
  struct row {
    const char* text;
    std::chrono::nanoseconds value;
  };
  const std::array rows{
      row{"250ms", 250ms}, row{"5 min", 5min},
      row{"1.5h", 90min},  row{"0", 0ms},
      row{"250", 250ms},   row{"7ns", 7ns},
      row{"20us", 20us},   row{"2s", 2s},
      row{" 30 d ", 720h}, row{"0.5 s", 500ms},
      row{"1.", 1ms},      row{"9223372036854775807ns", std::chrono::nanoseconds::max()},
  };

  for (const auto& [text, value] : rows) {
    CAPTURE(text);
    REQUIRE(parse_duration(text));
    CHECK(*parse_duration(text) == value);
  }
}

TEST_CASE("what is no duration gives nothing") {
  for (auto text :
       {"", " ", "ms", "-1s", "+1s", "5 minutes", "5m", "1s2", "1..5s", "1e3s", "0x10", "nan",
        "inf", "9223372036854775808ns", "1000000d", "999999999999999999999h", "1,5s", "5\tms"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_duration(text));
  }
}

TEST_CASE("sizes are read with their unit") {
  struct row {
    const char* text;
    std::uint64_t value;
  };
  const std::array rows{
      row{"64MiB", 64u << 20},
      row{"1.5 GiB", 3u << 29},
      row{"500 kB", 500'000},
      row{"4096", 4096},
      row{"0", 0},
      row{"10B", 10},
      row{"2TB", 2'000'000'000'000},
      row{"18446744073709551615", std::numeric_limits<std::uint64_t>::max()},
  };

  for (const auto& [text, value] : rows) {
    CAPTURE(text);
    REQUIRE(parse_size(text));
    CHECK(*parse_size(text) == value);
  }
}

TEST_CASE("what is no size gives nothing") {
  for (auto text : {"", "MiB", "-1", "64mib", "64M", "1 KB", "18446744073709551616",
                    "99999999999TiB", "16777216TiB", "1e9"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_size(text));
  }
}

TEST_CASE("switches know the usual words") {
  for (auto text : {"true", "on", "yes", "1"}) CHECK(parse_bool(text) == true);
  for (auto text : {"false", "off", "no", "0"}) CHECK(parse_bool(text) == false);
  for (auto text : {"", "True", "2", "maybe", " on"}) CHECK_FALSE(parse_bool(text).has_value());
}

TEST_CASE("formatting takes the greatest unit without a fraction, and reads back") {
  CHECK(format_duration(250ms) == "250 ms");
  CHECK(format_duration(90s) == "90 s");
  CHECK(format_duration(120s) == "2 min");
  CHECK(format_duration(24h) == "1 d");
  CHECK(format_duration(1001ns) == "1001 ns");
  CHECK(format_duration(0s) == "0 ms");
  CHECK(format_duration(-5s) == "-5 s");
  CHECK(format_duration(std::chrono::nanoseconds::min()) == "-9223372036854775808 ns");
  CHECK(format_size(64u << 20) == "64 MiB");
  CHECK(format_size(1000) == "1000 B");
  CHECK(format_size(0) == "0 B");

  for (auto d : {1ns, 999'999ns, std::chrono::nanoseconds(36h), std::chrono::nanoseconds::max()}) {
    CHECK(parse_duration(format_duration(d)) == d);
  }
}
