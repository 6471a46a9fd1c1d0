#pragma once

#include "scalekit/cache/codec.hpp"

#include <boost/describe/class.hpp>
#include <boost/describe/members.hpp>
#include <boost/json.hpp>

// Include it to keep structs described with BOOST_DESCRIBE_STRUCT as JSON. The program must link
// Boost.JSON. A struct that gained a member no longer reads what was stored before: a miss.

namespace scalekit::cache {

template <class V>
  requires boost::describe::has_describe_members<V>::value && std::is_class_v<V>
struct codec<V> {
  static void encode(const V& value, std::string& out) {
    out += boost::json::serialize(boost::json::value_from(value));
  }

  static std::optional<V> decode(std::string_view bytes) {
    boost::json::error_code failure;
    auto parsed = boost::json::parse({bytes.data(), bytes.size()}, failure);
    if (failure) return std::nullopt;
    auto value = boost::json::try_value_to<V>(parsed);
    if (!value) return std::nullopt;
    return std::move(*value);
  }
};

}  // namespace scalekit::cache
