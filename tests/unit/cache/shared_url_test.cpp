#include "scalekit/cache.hpp"
#include "support/throws_errc.hpp"

#include <doctest/doctest.h>

#include <stdexcept>
#include <string>
#include <vector>

namespace cache = scalekit::cache;

namespace {

std::string refusal(cache::store_params params) {
  try {
    cache::store::open(std::move(params));
  } catch (const std::invalid_argument& e) {
    return e.what();
  }
  return "";
}

}  // namespace

TEST_CASE("a shared tier that can never work is refused at once, and its URL is not shown") {
  using support::contains;
  CHECK(contains(refusal({.shared = "http://secret@host"}), "store_params.shared"));
  CHECK_FALSE(contains(refusal({.shared = "http://secret@host"}), "secret"));
  CHECK(contains(refusal({.shared = "file://host/dir"}), "file:///directory"));
  CHECK(contains(refusal({.shared = "file:///"}), "names no directory"));
  CHECK(contains(refusal({.file = {.directory = "/tmp/x"}, .shared = "redis://host"}),
                 "one of the two"));
  CHECK(contains(refusal({.file = {.directory = "/tmp/x"}, .shared = "file:///tmp/y"}),
                 "beside file.directory"));
  for (const auto* wrong : {"", "two words", "a:b", "a/b"}) {
    CHECK(contains(refusal({.shared_namespace = wrong}), "store_params.shared_namespace"));
  }
  CHECK(contains(refusal({.shared_timeout = std::chrono::milliseconds(0)}), "shared_timeout"));
  CHECK(contains(refusal({.shared = "auto:"}), "names nothing behind auto:"));
  CHECK(contains(refusal({.shared = "auto: redis://host", .shared_journal = "/tmp/x"}),
                 "beside a shared_journal"));
  CHECK(contains(refusal({.shared = "auto: http://secret@host"}), "store_params.shared"));
  CHECK_FALSE(contains(refusal({.shared = "auto: http://secret@host"}), "secret"));
#ifndef SCALEKIT_WITH_REDIS
  CHECK(contains(refusal({.shared = "redis://host"}), "SCALEKIT_WITH_REDIS"));
#endif
#ifndef SCALEKIT_WITH_MEMCACHED
  CHECK(contains(refusal({.shared = "memcached://host"}), "SCALEKIT_WITH_MEMCACHED"));
#endif
}
