#pragma once

#include "db/postgres/drive.hpp"
#include "scalekit/db/bulk.hpp"

#include <cstddef>
#include <cstdint>
#include <source_location>
#include <string>
#include <vector>

namespace scalekit::db::postgres {

/// Whether values of these kinds can go into columns of these types in the binary format, which is
/// the only one that rows are copied in. Throws errc::parameter_mismatch where a value of that kind
/// cannot go there at all.
bool fits_binary_copy(std::span<const value_kind> kinds, const std::vector<std::uint32_t>& types);

/// Copies rows into a table, in the transaction that is open on `c`; `text` is the COPY statement.
/// Throws for the first row that cannot be sent, for one with a value above `max_value_bytes` too,
/// and what the server says. Interrupted, it leaves the connection broken.
wait_end copy_in(connection& c, const std::string& text, const std::vector<std::uint32_t>& types,
                 detail::row_source& rows, std::size_t max_value_bytes,
                 const std::source_location& site, time_point until, std::uint64_t& copied);

}  // namespace scalekit::db::postgres
