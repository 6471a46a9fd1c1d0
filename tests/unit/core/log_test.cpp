#include "scalekit/core/log.hpp"

#include <doctest/doctest.h>

#include <stdexcept>
#include <string>
#include <vector>

using scalekit::log_level;
using scalekit::log_record;
using scalekit::log_sink;

TEST_CASE("a sink without a callback wants nothing and takes everything") {
  const log_sink nowhere;

  CHECK_FALSE(nowhere.wants(log_level::error));
  nowhere(log_level::error, "core.test", "lost");
}

TEST_CASE("a record reaches the callback whole") {
  std::vector<std::string> lines;
  const log_sink sink([&](const log_record& r) {
    std::string line = std::string(r.event) + "|" + std::string(r.message);
    for (const auto& [name, value] : r.fields) {
      line += "|" + std::string(name) + "=" + std::string(value);
    }
    lines.push_back(line);
    CHECK(r.level == log_level::warning);
  });

  sink(log_level::warning, "db.pool.exhausted", "all busy", {{"host", "a"}, {"waiting", "3"}});
  sink(log_level::warning, "db.pool.grown", "grown");

  CHECK(lines == std::vector<std::string>{"db.pool.exhausted|all busy|host=a|waiting=3",
                                          "db.pool.grown|grown"});
}

TEST_CASE("records below the least level are dropped") {
  int seen = 0;
  const log_sink sink([&](const log_record&) { ++seen; }, log_level::warning);

  sink(log_level::debug, "e", "m");
  sink(log_level::info, "e", "m");
  CHECK(seen == 0);
  sink(log_level::warning, "e", "m");
  sink(log_level::error, "e", "m");

  CHECK(seen == 2);
  CHECK_FALSE(sink.wants(log_level::info));
  CHECK(sink.wants(log_level::warning));
}

TEST_CASE("a callback that throws does not fail the operation it reports on") {
  const log_sink sink([](const log_record&) { throw std::runtime_error("disk full"); });

  CHECK_NOTHROW(sink(log_level::error, "e", "m"));
}
