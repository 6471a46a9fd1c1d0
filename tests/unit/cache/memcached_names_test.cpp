#include "cache/memcached_names.hpp"

#include "cache/memcached_url.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

using namespace scalekit::cache::detail;

TEST_CASE("a key that is one short word is itself, any other its digest") {
  CHECK(memcached_name("shop", "product:42") == "shop:k:product:42");
  CHECK(memcached_name("shop", "na\xc3\xafve") == "shop:k:na\xc3\xafve");
  CHECK(memcached_name("s", std::string(246, 'k')).starts_with("s:k:"));
  const std::vector<std::string> odd{"two words",
                                     "line\n",
                                     std::string("nul\0", 4),
                                     "\x7f",
                                     "tab\tbed",
                                     std::string(247, 'k'),
                                     std::string(10'000, 'k')};
  for (const auto& key : odd) {
    const auto name = memcached_name("s", key);
    CAPTURE(name);
    CHECK(name.starts_with("s:h:"));
    CHECK(name.size() == 4 + 64);
    CHECK(std::ranges::all_of(name, [](char c) { return c > ' ' && c < 0x7f; }));
  }
  CHECK(memcached_name("s", "a b") != memcached_name("s", "a  b"));
}

TEST_CASE("hosts of a URL have a port or the usual one") {
  using hosts = std::vector<memcached_host>;
  CHECK(memcached_hosts("memcached://10.0.0.1") == hosts{{"10.0.0.1", 11211}});
  CHECK(memcached_hosts("memcached://a:1,b,[::1]:7/") == hosts{{"a", 1}, {"b", 11211}, {"::1", 7}});
  CHECK(name_of(memcached_hosts("memcached://a:1,[::1]")) == "a:1,[::1]:11211");
}

TEST_CASE("a URL of memcached that can never work is refused") {
  const std::vector<std::string_view> wrong{
      "memcached://",          "memcached://a,",       "memcached://a:0",  "memcached://a:70000",
      "memcached://a:x",       "memcached://a,a",      "memcached://[::1", "memcached://[::1]x",
      "memcached://user:p@a",  "memcached://a?x=1",    "memcached://a/b",  "memcache://a",
      "memcached://a,a:11211", "memcached://two words"};
  for (const auto url : wrong) {
    CAPTURE(url);
    CHECK_THROWS_AS(memcached_hosts(url), std::invalid_argument);
  }
}
