#pragma once

#include <charconv>
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

/// The timeline of the history that is written, from the name of a segment of the log
/// (pg_walfile_name), which begins with it; 0 for what is no such name.
inline std::uint32_t timeline_of_segment(std::string_view name) noexcept {
  std::uint32_t timeline = 0;
  if (name.size() >= 8) std::from_chars(name.data(), name.data() + 8, timeline, 16);
  return timeline;
}

}  // namespace scalekit::db::detail
