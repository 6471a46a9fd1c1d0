#include "scalekit/core/core_settings.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <iterator>
#include <string>

using namespace std::chrono_literals;
using scalekit::settings_origins;

namespace {

template <class T>
T from_query(const scalekit::settings_schema<T>& schema, std::string_view query) {
  T params;
  settings_origins origins;
  schema.set_from_query(params, query, "test", origins);
  return params;
}

}  // namespace

TEST_CASE("the defaults of core's structs are legal") {
  CHECK_NOTHROW(scalekit::backoff_settings().validate({}));
  CHECK_NOTHROW(scalekit::circuit_breaker_settings().validate({}));
  CHECK_NOTHROW(scalekit::work_pool_settings().validate({}));
  CHECK_NOTHROW(scalekit::runtime_settings().validate({}));
}

TEST_CASE("core's structs are read by the names of their members") {
  const auto breaker = from_query(scalekit::circuit_breaker_settings(),
                                  "name=redis&failure_ratio=0.2&window=30s&pause.base=5s&"
                                  "pause.kind=linear&pause.full_jitter=on&probes=3");
  const auto runtime = from_query(scalekit::runtime_settings(), "threads=2&work.max_queued=10");

  CHECK(breaker.name == "redis");
  CHECK(breaker.failure_ratio == 0.2);
  CHECK(breaker.window == 30s);
  CHECK(breaker.pause.base == 5s);
  CHECK(breaker.pause.kind == scalekit::backoff_kind::linear);
  CHECK(breaker.pause.full_jitter);
  CHECK(breaker.probes == 3);
  CHECK(runtime.threads == 2);
  CHECK(runtime.work.max_queued == 10);
}

TEST_CASE("docs/core.md shows the reference as it is") {
  std::ifstream in(SCALEKIT_SOURCE_DIR "/docs/core.md");
  const std::string page(std::istreambuf_iterator<char>(in), {});

  CHECK(page.find(to_markdown(scalekit::backoff_settings().describe({}))) != page.npos);
  CHECK(page.find(to_markdown(scalekit::circuit_breaker_settings().describe({}))) != page.npos);
  CHECK(page.find(to_markdown(scalekit::runtime_settings().describe({}))) != page.npos);
}
