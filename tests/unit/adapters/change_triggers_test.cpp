#include "scalekit/adapters/change_triggers.hpp"

#include "scalekit/adapters/cached.hpp"
#include "support/throws_errc.hpp"

#include <doctest/doctest.h>

#include <string>

using scalekit::errc;
using scalekit::adapters::cached;
using scalekit::adapters::change_trigger_script;
using support::contains;

TEST_CASE("names and channels come out quoted, for SQL and for text") {
  const auto script = change_trigger_script({"shop.Odd \"t\"", "it's"}, "my 'channel'");

  CHECK(contains(script, R"(on "shop"."Odd ""t""")"));
  CHECK(contains(script, R"('"shop"."Odd ""t"""'::regclass)"));
  CHECK(contains(script, R"('"it''s"'::regclass)"));
  CHECK(contains(script, R"(create trigger "my 'channel'")"));
  CHECK(contains(script, R"(scalekit_notify_change('my ''channel'''))"));
  CHECK(contains(change_trigger_script({"a\\b"}), R"(E'"a\\b"'::regclass)"));
}

TEST_CASE("triggers that cannot be are refused") {
  CHECK_ERRC(change_trigger_script({}), errc::invalid_argument);
  CHECK_ERRC(change_trigger_script({""}), errc::invalid_argument);
  CHECK_ERRC(change_trigger_script({"a$scalekit$"}), errc::invalid_argument);
  CHECK_ERRC(change_trigger_script({"a"}, ""), errc::invalid_argument);
  CHECK_ERRC(change_trigger_script({"a"}, std::string(47, 'x')), errc::invalid_argument);
  CHECK_ERRC(change_trigger_script({"a"}, "x$scalekit$"), errc::invalid_argument);
}

TEST_CASE("a cached read names its tables") {
  namespace ttl = scalekit::cache::ttl;

  CHECK(cached(ttl::product, {"product", "stock"}).tables().size() == 2);
  CHECK_ERRC(cached(ttl::product, std::vector<std::string>{}), errc::invalid_argument);
  CHECK_ERRC(cached(ttl::product, {"product", ""}), errc::invalid_argument);
}
