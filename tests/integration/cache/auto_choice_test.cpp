// store_params::shared with several URLs: the first that works is used.

#include "scalekit/cache.hpp"
#include "scalekit/core/execution.hpp"
#include "shared_servers.hpp"
#include "support/event_log.hpp"
#include "support/reserved_port.hpp"
#include "support/temp_directory.hpp"
#include "support/throws_errc.hpp"

#include <doctest/doctest.h>

#include <string>

namespace cache = scalekit::cache;
using namespace cache_test;
using scalekit::errc;

namespace {

/// A port on which nobody listens.
std::string nobody(const support::reserved_port& port) {
  return "redis://127.0.0.1:" + std::to_string(port.number());
}

std::string chosen(const support::event_log& heard) {
  const auto event = heard.find("cache.auto.chosen");
  return event ? event->fields.at("chosen") : "";
}

}  // namespace

TEST_CASE("of several servers the first that answers is used, and the log says which and why") {
  const support::reserved_port free;
  for_each_server([&](shared_server& server) {
    support::event_log heard;
    auto params = only_shared("auto: " + nobody(free) + " " + server.url());
    params.shared_timeout = 2s;
    params.log = heard.sink();
    auto store = cache::store::open(params);
    store.set("a", 1, cache::ttl::product);

    auto other = cache::store::open(only_shared(server.url()));
    CHECK(other.get<int>("a").value == 1);
    CHECK(chosen(heard).find(std::to_string(server.port())) != std::string::npos);
    CHECK(heard.count("cache.auto.passed_over") == 1);
  });
}

TEST_CASE("a directory takes the place of servers that do not work, and memory that of all") {
  const support::reserved_port free;
  const support::temp_directory directory;
  support::event_log heard;
  auto params = only_shared("auto: " + nobody(free) + " file://" + directory.file("cache"));
  params.log = heard.sink();
  auto store = cache::store::open(params);
  store.set("a", 1, cache::ttl::product);
  CHECK(store.get<int>("a").tier == cache::tier::file);
  CHECK(chosen(heard) == directory.file("cache"));

  auto alone = cache::store::open(with_memory("auto: " + nobody(free)));
  alone.set("a", 1, cache::ttl::product);
  CHECK(alone.get<int>("a").tier == cache::tier::memory);
  CHECK_ERRC(cache::store::open(only_shared("auto: " + nobody(free))), errc::unavailable);
}

TEST_CASE("servers are not tried out on the thread of an event loop") {
  const scalekit::io_thread_mark mark;
  CHECK_ERRC(cache::store::open(with_memory("auto: redis://127.0.0.1:1")), errc::not_allowed);
}
