#pragma once

#include "db/postgres/wire_decode.hpp"
#include "scalekit/core/codec.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace postgres_test {

using namespace scalekit;
using namespace scalekit::db::postgres;

/// The bytes that `digits` writes in hexadecimal; blanks are for the reader.
inline std::string hex(std::string_view digits) {
  auto value = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  std::string bytes;
  int high = -1;
  for (char c : digits) {
    if (c == ' ') continue;
    if (high < 0) {
      high = value(c);
    } else {
      bytes += static_cast<char>(high * 16 + value(c));
      high = -1;
    }
  }
  return bytes;
}

/// A value and what it points into.
struct decoded {
  decoded(decode_function decode, std::string bytes) : wire(std::move(bytes)) {
    status = decode(wire, value, scratch);
  }
  decoded(const decoded&) = delete;
  decoded& operator=(const decoded&) = delete;

  wire_status status;
  std::string wire;
  std::string scratch;
  value_view value;

  std::int64_t integer() const {
    REQUIRE(status == wire_status::ok);
    REQUIRE(value.kind() == value_kind::integer);
    return value.integer();
  }
  double real() const {
    REQUIRE(status == wire_status::ok);
    REQUIRE(value.kind() == value_kind::real);
    return value.real();
  }
  std::string text() const {
    REQUIRE(status == wire_status::ok);
    REQUIRE(value.kind() == value_kind::text);
    return std::string(value.text());
  }
  template <class T>
  T as() const {
    REQUIRE(status == wire_status::ok);
    T out{};
    REQUIRE(scalekit::detail::decode(value, out) == scalekit::detail::decode_status::ok);
    return out;
  }
};

}  // namespace postgres_test
