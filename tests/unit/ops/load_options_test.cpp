#include "cli/load_options.hpp"

#include <doctest/doctest.h>

#include <stdexcept>
#include <string>

using namespace std::chrono_literals;
using namespace scalekit::cli;

TEST_CASE("a URL is split into what a load run needs") {
  struct {
    const char* text;
    const char* host;
    int port;
    const char* target;
  } const examples[] = {
      {"http://shop", "shop", 80, "/"},
      {"http://127.0.0.1:8080/a/b?c=d%20e", "127.0.0.1", 8080, "/a/b?c=d%20e"},
      {"http://[::1]:99/", "::1", 99, "/"},
      {"http://shop?q=1", "shop", 80, "/?q=1"},
  };
  for (const auto& e : examples) {
    CAPTURE(e.text);

    auto url = parse_load_url(e.text);

    CHECK(url.host == e.host);
    CHECK(url.port == e.port);
    CHECK(url.target == e.target);
  }
}

TEST_CASE("a URL that cannot be loaded is refused") {
  for (std::string text :
       {"", "shop", "https://shop", "http://", "http://u:p@shop", "http://shop:0",
        "http://shop:99999", "http://shop/a b", "http://shop/#top"}) {
    CAPTURE(text);
    CHECK_THROWS_AS(parse_load_url(text), std::invalid_argument);
  }
}

TEST_CASE("durations have a unit") {
  CHECK(parse_duration("250us") == 250us);
  CHECK(parse_duration("500ms") == 500ms);
  CHECK(parse_duration("1.5s") == 1500ms);
  CHECK(parse_duration("2m") == 2min);
  CHECK(parse_duration("24h") == 24h);
  for (std::string text : {"", "5", "s", "-1s", "1e3s", "25h", "1 s", "1s ", "nans"}) {
    CAPTURE(text);
    CHECK_THROWS_AS(parse_duration(text), std::invalid_argument);
  }
}

TEST_CASE("a stage is a duration and a rate or a ramp") {
  auto flat = parse_stage("30s:100");
  CHECK(flat.duration == 30s);
  CHECK(flat.rate == 100);
  CHECK_FALSE(flat.ramp_from.has_value());

  auto ramp = parse_stage("1m:100-500.5");
  CHECK(ramp.duration == 1min);
  CHECK(ramp.ramp_from == 100);
  CHECK(ramp.rate == 500.5);

  for (std::string text : {"30s", "30s:", "30s:x", "30s:1-", "30s:1-2-3", ":5", "30s:-5"}) {
    CAPTURE(text);
    CHECK_THROWS_AS(parse_stage(text), std::invalid_argument);
  }
}
