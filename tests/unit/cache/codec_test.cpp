#include "scalekit/cache/codec.hpp"

#include "scalekit/cache/json_codec.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace {

struct product {
  int id = 0;
  std::string name;

  friend bool operator==(const product&, const product&) = default;
};
BOOST_DESCRIBE_STRUCT(product, (), (id, name))

enum class colour : std::uint8_t { red, green };

template <class V>
std::string encoded(const V& value) {
  std::string out;
  scalekit::cache::codec<V>::encode(value, out);
  return out;
}

template <class V>
bool survives(const V& value) {
  return scalekit::cache::codec<V>::decode(encoded(value)) == value;
}

}  // namespace

TEST_CASE("values survive their codec") {
  CHECK(survives(std::string("a\0b", 3)));
  CHECK(survives(std::vector<std::byte>{std::byte{0}, std::byte{255}}));
  CHECK(survives(true));
  CHECK(survives(-5));
  CHECK(survives(std::uint64_t{1} << 63));
  CHECK(survives(2.5));
  CHECK(survives(colour::green));
  CHECK(survives(product{7, "sofa"}));
}

TEST_CASE("bytes of another type are refused") {
  using scalekit::cache::codec;

  CHECK_FALSE(codec<int>::decode("12345"));
  CHECK_FALSE(codec<bool>::decode("\2"));
  CHECK_FALSE(codec<product>::decode("no json"));
  CHECK_FALSE(codec<product>::decode(R"({"id": 1})"));
  CHECK_FALSE(codec<product>::decode(R"({"id": "x", "name": 2})"));
}
