#include "scalekit/redis/script.hpp"

#include "redis/as_eval.hpp"
#include "redis/sha1.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace scalekit::redis;

TEST_CASE("scripts are known by SHA-1") {
  CHECK(detail::sha1_hex("") == "da39a3ee5e6b4b0d3255bfef95601890afd80709");
  CHECK(detail::sha1_hex("abc") == "a9993e364706816aba3e25717850c26c9cd0d89d");
  CHECK(detail::sha1_hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq") ==
        "84983e441c3bd26ebaae4aa1f95129e5e54670f1");
  CHECK(detail::sha1_hex(std::string(1'000'000, 'a')) ==
        "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
}

TEST_CASE("a call sends the hash, and for a server that does not know it the text") {
  const script s("return 1");
  const auto hash = s.hash();

  auto r = detail::to_request(s({"k1", "k2"}, "arg", 7));

  CHECK(r.name == "EVALSHA");
  CHECK(r.wire() == "*7\r\n$7\r\nEVALSHA\r\n$40\r\n" + hash +
                        "\r\n$1\r\n2\r\n$2\r\nk1\r\n$2\r\nk2\r\n$3\r\narg\r\n$1\r\n7\r\n");
  CHECK_FALSE(r.is_read);
  detail::make_eval(r);
  CHECK(r.wire() ==
        "*7\r\n$4\r\nEVAL\r\n$8\r\nreturn "
        "1\r\n$1\r\n2\r\n$2\r\nk1\r\n$2\r\nk2\r\n$3\r\narg\r\n$1\r\n7\r\n");
  CHECK(r.script == nullptr);
}

TEST_CASE("keys may be a range, and none") {
  const script s("return 1");
  const std::vector<std::string> keys{"a"};

  CHECK(detail::to_request(s.with_keys(keys, "x")).wire() ==
        detail::to_request(s({"a"}, "x")).wire());
  CHECK(detail::to_request(s({})).wire().ends_with("\r\n$1\r\n0\r\n"));
}
