#include "scalekit/adapters/spdlog_sink.hpp"

#include <doctest/doctest.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/ostream_sink.h>

#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>

using scalekit::log_level;
using scalekit::log_record;
using scalekit::adapters::spdlog_sink;
using scalekit::adapters::to_line;

namespace {

/// A logger that writes "level|text" lines to a string.
struct captured {
  std::ostringstream out;
  std::shared_ptr<spdlog::logger> logger = std::make_shared<spdlog::logger>(
      "shop", std::make_shared<spdlog::sinks::ostream_sink_st>(out));

  captured() {
    logger->set_pattern("%l|%v", spdlog::pattern_time_type::utc);
    logger->set_level(spdlog::level::debug);
  }
};

std::string line_of(std::string_view message, std::string_view value) {
  const std::pair<std::string_view, std::string_view> fields[] = {{"f", value}};
  return to_line({log_level::info, "e", message, fields});
}

}  // namespace

TEST_CASE("a record becomes one line of the logger, at the matching level") {
  captured to;
  const auto sink = spdlog_sink(to.logger, log_level::debug);

  sink(log_level::debug, "db.dial", "dialling");
  sink(log_level::info, "db.up", "connected", {{"host", "10.0.0.1"}});
  sink(log_level::warning, "db.slow", "slow", {{"took", "2 s"}, {"calls", "7"}});
  sink(log_level::error, "db.down", "lost");

  CHECK(to.out.str() ==
        "debug|db.dial: dialling\n"
        "info|db.up: connected host=10.0.0.1\n"
        "warning|db.slow: slow took=\"2 s\" calls=7\n"
        "error|db.down: lost\n");
}

TEST_CASE("braces in a message are text, not a format") {
  captured to;

  spdlog_sink(to.logger)(log_level::info, "e", "{} {0} {broken");

  CHECK(to.out.str() == "info|e: {} {0} {broken\n");
}

TEST_CASE("records below the sink's or the logger's level are not written") {
  captured to;
  to.logger->set_level(spdlog::level::err);
  const auto sink = spdlog_sink(to.logger, log_level::warning);

  CHECK_FALSE(sink.wants(log_level::info));
  sink(log_level::warning, "e", "m");

  CHECK(to.out.str().empty());
}

TEST_CASE("a logger that does not exist is refused at once") {
  CHECK_THROWS_WITH_AS(
      spdlog_sink(std::shared_ptr<spdlog::logger>()),
      "spdlog_sink logger is null; legal: a logger (is it registered under that name?)",
      std::invalid_argument);
}

TEST_CASE("the sink keeps its logger alive") {
  captured to;
  const auto sink = spdlog_sink(to.logger);

  to.logger.reset();
  sink(log_level::info, "e", "m");

  CHECK(to.out.str() == "info|e: m\n");
}

TEST_CASE("values are quoted where a reader would stumble") {
  CHECK(line_of("m", "plain") == "e: m f=plain");
  CHECK(line_of("m", "") == "e: m f=\"\"");
  CHECK(line_of("m", "two words") == "e: m f=\"two words\"");
  CHECK(line_of("m", "a=b") == "e: m f=\"a=b\"");
  CHECK(line_of("m", "say \"hi\" \\") == R"(e: m f="say \"hi\" \\")");
}

TEST_CASE("what a user typed cannot forge a second line") {
  CHECK(line_of("m\nerror|forged", "x\r\n\x1b[31m") ==
        "e: m\\x0aerror|forged f=x\\x0d\\x0a\\x1b[31m");
  CHECK(line_of("caf\xc3\xa9", "\x7f") == "e: caf\xc3\xa9 f=\\x7f");
  // Line separators and control characters exist beyond ASCII: CSI steers terminals as ESC does.
  CHECK(line_of("a\xc2\x85z", "\xc2\x9b") == "e: a\\xc2\\x85z f=\\xc2\\x9b");
  CHECK(line_of("\xe2\x80\xa8", "\xc2\xa0\xc2") == "e: \\xe2\\x80\\xa8 f=\xc2\xa0\xc2");
}
