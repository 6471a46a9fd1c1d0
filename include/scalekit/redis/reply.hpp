#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace scalekit::redis {

enum class reply_kind {
  /// No value: a key that is not there, a pop without an element, a transaction that was not run.
  nil,
  integer,
  /// One line that is no data: "OK".
  status,
  /// Bytes.
  text,
  /// What the server refused. Only inside an array: that of a call's own reply is thrown.
  error,
  array,
};

/// "nil", "integer" and so on.
constexpr const char* to_string(reply_kind kind) noexcept {
  switch (kind) {
    case reply_kind::nil:
      return "nil";
    case reply_kind::integer:
      return "integer";
    case reply_kind::status:
      return "status";
    case reply_kind::text:
      return "text";
    case reply_kind::error:
      return "error";
    case reply_kind::array:
      return "array";
  }
  return "unknown";
}

/// What the server answered, as it came. Mostly a call is made with the type that is wanted
/// instead (from_reply.hpp).
struct reply {
  reply_kind kind = reply_kind::nil;
  /// Of an integer.
  std::int64_t integer = 0;
  /// Of a status, a text or an error; any bytes.
  std::string text = {};
  /// Of an array.
  std::vector<reply> elements = {};

  friend bool operator==(const reply&, const reply&) = default;
};

}  // namespace scalekit::redis
