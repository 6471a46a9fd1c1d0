#include "scalekit/core/trace_context.hpp"

#include "scalekit/core/request_scope.hpp"

#include <doctest/doctest.h>

#include <array>
#include <string>

using scalekit::errc;
using scalekit::random_generator;
using scalekit::request_scope;
using scalekit::trace_context;

namespace {

const std::string sampled = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

std::string state_after(std::string_view tracestate) {
  return trace_context::parse(sampled, tracestate).value().tracestate();
}

}  // namespace

TEST_CASE("a traceparent comes out as it went in") {
  const auto context = trace_context::parse(sampled).value();

  CHECK(context);
  CHECK(context.is_sampled());
  CHECK(context.trace_id()[0] == 0x4b);
  CHECK(context.trace_id()[15] == 0x36);
  CHECK(context.span_id()[7] == 0xb7);
  CHECK(context.trace_id_hex() == "4bf92f3577b34da6a3ce929d0e0e4736");
  CHECK(context.traceparent() == sampled);
  CHECK(context.tracestate().empty());
}

TEST_CASE("a malformed traceparent is a typed error that does not quote it") {
  struct row {
    std::string header;
    const char* message;
  };
  const std::array rows{
      row{"", "traceparent: 0 characters; legal: 55 or more"},
      row{"00", "traceparent: 2 characters; legal: 55 or more"},
      row{sampled + "x", "traceparent: 56 characters; legal for version 00: 55"},
      row{sampled + "-01", "traceparent: 58 characters; legal for version 00: 55"},
      row{"cc" + sampled.substr(2) + "x", "traceparent: no '-' at offset 55"},
      row{"ff" + sampled.substr(2), "traceparent: version ff is forbidden"},
      row{"0x" + sampled.substr(2), "traceparent: the version is not lower-case hex"},
      row{"00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
          "traceparent: the trace id is not lower-case hex"},
      row{"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902bg-01",
          "traceparent: the parent id is not lower-case hex"},
      row{"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0 ",
          "traceparent: the flags are not lower-case hex"},
      row{"00-00000000000000000000000000000000-00f067aa0ba902b7-01",
          "traceparent: the trace id is zero"},
      row{"00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
          "traceparent: the parent id is zero"},
      row{"00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
          "traceparent: no '-' at offset 2"},
      row{"00-4bf92f3577b34da6a3ce929d0e0e4736000f067aa0ba902b7-01",
          "traceparent: no '-' at offset 35"},
      row{"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7\0001",
          "traceparent: 52 characters; legal: 55 or more"},
  };

  for (const auto& [header, message] : rows) {
    CAPTURE(header);
    const auto parsed = trace_context::parse(header);
    REQUIRE(parsed.has_error());
    CHECK(parsed.error().code() == errc::invalid_argument);
    CHECK(parsed.error().diag().client_message == message);
  }
}

TEST_CASE("every single wrong byte is refused or read, and never throws") {
  for (std::size_t at = 0; at < sampled.size(); ++at) {
    for (int byte = 0; byte < 256; ++byte) {
      auto header = sampled;
      header[at] = static_cast<char>(byte);
      CHECK_NOTHROW((void)trace_context::parse(header, header));
    }
  }
}

TEST_CASE("a higher version is read as far as version 00 goes") {
  const auto as_long = trace_context::parse("01" + sampled.substr(2)).value();
  const auto longer = trace_context::parse("fe" + sampled.substr(2) + "-what-comes-later").value();

  CHECK(as_long.traceparent() == sampled);
  CHECK(longer.traceparent() == sampled);
}

TEST_CASE("flags that nobody knows are not passed on") {
  const auto context = trace_context::parse(sampled.substr(0, 53) + "ff").value();

  CHECK(context.traceparent() == sampled.substr(0, 53) + "03");
  CHECK_FALSE(trace_context::parse(sampled.substr(0, 53) + "fc").value().is_sampled());
}

TEST_CASE("a legal tracestate is passed on in order") {
  CHECK(state_after("rojo=00f067aa0ba902b7,congo=t61rcWkgMzE") ==
        "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE");
  CHECK(state_after(" a=1 ,\t,b=x y,, c@d/e=!") == "a=1,b=x y,c@d/e=!");
  CHECK(state_after("0tenant@sys=1") == "0tenant@sys=1");
  CHECK(state_after(std::string(256, 'k') + "=" + std::string(256, 'v')).size() == 513);
  CHECK(state_after("").empty());
  CHECK(state_after(",,,").empty());
}

TEST_CASE("a malformed tracestate is dropped whole, and the trace kept") {
  std::string too_many;
  for (int i = 0; i < 33; ++i) too_many += "k" + std::to_string(i) + "=v,";
  const std::array<std::string, 15> wrong{
      "a",
      "=1",
      "a=",
      "A=1",
      "0a=1",
      "a b=1",
      "a=1,b",
      "a=1,a=2",
      "a=b=c",
      "a=\x01",
      "a=\xc3\xa9",
      "a@=1",
      "@a=1",
      "a@" + std::string(15, 'k') + "=1",
      std::string(257, 'k') + "=1",
  };

  for (const auto& tracestate : wrong) {
    CAPTURE(tracestate);
    CHECK(state_after(tracestate).empty());
  }
  CHECK(state_after(too_many).empty());
  CHECK(state_after("a=" + std::string(257, 'v')).empty());
  CHECK(state_after(std::string(10'000'000, ',')).empty());
}

TEST_CASE("a child belongs to the same trace and has a span id of its own") {
  random_generator random(1);
  const auto parent = trace_context::parse(sampled, "rojo=1").value();

  const auto child = parent.child(random);
  const auto sibling = parent.child(random);

  CHECK(child.trace_id() == parent.trace_id());
  CHECK(child.span_id() != parent.span_id());
  CHECK(child.span_id() != sibling.span_id());
  CHECK(child.is_sampled());
  CHECK(child.tracestate() == "rojo=1");
  CHECK(trace_context::parse(child.traceparent(), child.tracestate()).value() == child);
}

TEST_CASE("a trace of our own depends on the seed only") {
  random_generator one(42);
  random_generator same(42);

  const auto context = trace_context::start(one, true);

  CHECK(context == trace_context::start(same, true));
  CHECK(context.is_sampled());
  CHECK(trace_context::parse(context.traceparent()).value() == context);
  CHECK(context.traceparent().substr(53) == "03");  // sampled, and the id is random
  CHECK_FALSE(trace_context::start(one).is_sampled());
}

TEST_CASE("no trace has no header, and no child") {
  random_generator random(1);
  const trace_context none;

  CHECK_FALSE(none);
  CHECK(none.traceparent().empty());
  CHECK(none.trace_id_hex().empty());
  CHECK_FALSE(none.child(random));
}

TEST_CASE("copies of a request scope are the same scope, others are not") {
  const auto scope = request_scope::begin("GET /products/:id");
  const auto copy = scope;
  const auto other = request_scope::begin("GET /products/:id");

  CHECK(scope);
  CHECK(copy.id() == scope.id());
  CHECK(other.id() != scope.id());
  CHECK(copy.name() == "GET /products/:id");
  CHECK_FALSE(scope.trace());
}

TEST_CASE("a request scope carries its trace") {
  const auto trace = trace_context::parse(sampled).value();

  const auto scope = request_scope::begin("GET /", trace);

  CHECK(scope.trace() == trace);
}

TEST_CASE("no request scope has id zero, no name and no trace") {
  const request_scope none;

  CHECK_FALSE(none);
  CHECK(none.id() == 0);
  CHECK(none.name().empty());
  CHECK_FALSE(none.trace());
}
