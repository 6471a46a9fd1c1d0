#pragma once

#include "db/postgres/wire_encode.hpp"
#include "scalekit/core/value_list.hpp"

#include <boost/container/small_vector.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

// What bound values become. The server says which type each parameter has; a value goes there
// unchanged or not at all:
//
// | value   | into                                 | value_out_of_range for           |
// | ------- | ------------------------------------ | -------------------------------- |
// | null    | anything                             |                                  |
// | integer | int2, int4, int8, oid, xid, xid8     | what is beyond the range         |
// |         | boolean                              | anything but 0 and 1             |
// |         | numeric                              |                                  |
// |         | float4, float8                       | what is not exact there          |
// |         | timestamptz, timestamp, date: it is  | what is before 4713 BC; for a    |
// |         |   microseconds since 1970 UTC        |   date what is not midnight UTC  |
// |         | time: microseconds since midnight    | below 0, above 24 hours          |
// | real    | float8, numeric                      |                                  |
// |         | float4, rounded                      | overflow, and underflow to 0     |
// | text    | all but bytea; the server parses it  | text with a NUL in it            |
// | blob    | bytea                                |                                  |
// | array   | arrays of one dimension              | as for its elements              |
//
// Integers and reals go into types that are not known here (domains, enums, money) as text, which
// the server parses. Unlike a column, a parameter of a domain has the domain's own type: whoever
// knows the base type passes that instead.
//
// Everything else is errc::parameter_mismatch: an integer into text, a real into an integer, text
// into bytea (backslashes would mean something), a blob into anything else.

namespace scalekit::db::postgres {

/// The parameters of one execution in the form in which libpq's PQsendQueryPrepared wants them.
/// A few small ones need no heap; and it is made to be used again and again: after a while it
/// allocates nothing.
///
/// Object lifetimes: large values are not copied, so the values must live until libpq has seen
/// the arrays. Thread safety: one thread at a time.
class encoded_parameters {
 public:
  /// Replaces what was encoded before. `types` are the OIDs of the statement's parameters.
  ///
  /// Throws parameter_mismatch and value_out_of_range as the table says, parameter_mismatch for
  /// another number of values than of types, and too_large above 1 GiB less 1 MiB in all, beyond
  /// which the server would drop the connection. Each names the parameter, from $1, and never the
  /// value. After that, nothing is encoded.
  void encode(const value_list& values, std::span<const std::uint32_t> types);

  int size() const noexcept { return static_cast<int>(pointers_.size()); }
  /// size() each. A pointer is null for null; a format is 0 for text and 1 for binary.
  const char* const* values() const noexcept { return pointers_.data(); }
  const int* lengths() const noexcept { return lengths_.data(); }
  const int* formats() const noexcept { return formats_.data(); }

 private:
  void add(const value_view& value, std::uint32_t type, parameter_place place);
  void clear() noexcept;

  template <class T>
  using each = boost::container::small_vector<T, 4>;

  each<const char*> pointers_;
  each<int> lengths_;
  each<int> formats_;
  /// Where a parameter begins in buffer_; unused for one that is seen in place.
  each<std::size_t> offsets_;
  std::string buffer_;
  std::size_t bytes_in_place_ = 0;
};

}  // namespace scalekit::db::postgres
