#pragma once

#include "scalekit/core/value.hpp"

#include <cstdint>
#include <string>
#include <string_view>

// What the server's values become. By the type of the column:
//
// | PostgreSQL                                          | scalekit                               |
// | --------------------------------------------------- | -------------------------------------- |
// | boolean                                             | integer, 0 or 1                        |
// | int2, int4, int8, oid, xid, xid8                    | integer                                |
// | float4, float8                                      | real                                   |
// | text, varchar, char(n), name, "char", json, jsonb,  | text, in place                         |
// |   xml, unknown, void (empty)                        |                                        |
// | bytea                                               | blob                                   |
// | numeric, uuid, inet, cidr, macaddr, pg_lsn          | text, exactly as psql shows it         |
// | interval                                            | text, as intervalstyle = postgres      |
// | date, timestamp, timestamptz                        | integer, microseconds since 1970 UTC;  |
// |                                                     |   a date is its midnight, a timestamp  |
// |                                                     |   without time zone counts as UTC      |
// | time                                                | integer, microseconds since midnight   |
// | arrays of one dimension of all these                | array (a lower bound is dropped)       |
// | everything else: enums, ranges, composites, ...     | unsupported in binary, text in text    |
//
// Domains arrive as their base type: the server resolves them itself.

namespace scalekit::db::postgres {

enum class wire_status : std::uint8_t {
  ok,
  /// The bytes are not a value of that type.
  malformed,
  /// The value is fine but scalekit's kind cannot hold it: infinity and years beyond 294246 of
  /// dates and times, an xid8 above 2^63 - 1, an array of several dimensions.
  out_of_range,
  /// There is no decoder for the type.
  unsupported,
};

/// Decodes one value that is not null. Reads nothing outside of `wire`, whatever is in it.
///
/// Object lifetimes: `out` points into `wire` or into `scratch`, whose content is replaced. So use
/// a scratch per column, and read the row before the next is decoded.
using decode_function = wire_status (*)(std::string_view wire, value_view& out,
                                        std::string& scratch);

/// The decoder for values in binary format; never null. Chosen once a column and statement.
decode_function decoder_for(std::uint32_t type) noexcept;

/// False for the types whose decoder_for() only says `unsupported`: ask for text format.
bool is_binary_decodable(std::uint32_t type) noexcept;

/// The same for values in text format, which exists for every type: a column whose type is not
/// known is text as the server prints it. libpq asks for one format for all columns of a result,
/// so one such column means text format for its neighbours as well.
///
/// Precondition: the session has the defaults DateStyle ISO, IntervalStyle postgres and
/// extra_float_digits 1, and client_encoding UTF8; any time zone and bytea_output will do.
decode_function text_decoder_for(std::uint32_t type) noexcept;

}  // namespace scalekit::db::postgres
