#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace scalekit::db::detail {

/// A position in PostgreSQL's write-ahead log; 0 is none. Positions compare within one timeline
/// only, see timeline_board.
struct lsn {
  std::uint64_t value = 0;

  friend auto operator<=>(const lsn&, const lsn&) = default;
};

/// "16/B374D848", as pg_lsn is written. Nothing for anything else.
std::optional<lsn> parse_lsn(std::string_view text);

std::string to_string(lsn position);

}  // namespace scalekit::db::detail
