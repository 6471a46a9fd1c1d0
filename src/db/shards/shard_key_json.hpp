#pragma once

#include "scalekit/db/shard_key.hpp"

#include <boost/json/value.hpp>

#include <cstdint>
#include <string>

namespace scalekit::db::detail {

/// A key as it is stored: a number or a string.
inline boost::json::value to_value(const shard_key& key) {
  if (key.is_text()) return boost::json::value(key.text());
  return boost::json::value(key.number());
}

/// Throws for anything else.
inline shard_key key_of(const boost::json::value& v) {
  if (v.is_string()) return {std::string(v.as_string())};
  return {v.to_number<std::int64_t>()};
}

}  // namespace scalekit::db::detail
