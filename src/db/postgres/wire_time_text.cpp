#include "db/postgres/wire_time.hpp"
#include "db/postgres/wire_values.hpp"

#include <charconv>
#include <optional>

// Dates and times as the server prints them with DateStyle ISO:
//
//     2024-02-29    2024-02-29 12:34:56.789    0044-03-15 12:00:00+05:30:15 BC    infinity
//
// A timestamp in the zone of the session carries its distance from UTC.

namespace scalekit::db::postgres {
namespace {

/// Takes what it is asked for from the front, or says that it is not there.
class reader {
 public:
  explicit reader(std::string_view text) noexcept : rest_(text) {}

  bool take(std::string_view what) noexcept {
    if (!rest_.starts_with(what)) return false;
    rest_.remove_prefix(what.size());
    return true;
  }

  /// Digits only, at least `least` of them.
  std::optional<std::int64_t> number(std::size_t least, std::size_t most) noexcept {
    std::size_t size = 0;
    while (size < rest_.size() && size < most && rest_[size] >= '0' && rest_[size] <= '9') ++size;
    if (size < least) return {};
    std::int64_t value = 0;
    std::from_chars(rest_.data(), rest_.data() + size, value);
    rest_.remove_prefix(size);
    return value;
  }

  std::string_view rest() const noexcept { return rest_; }
  std::size_t left() const noexcept { return rest_.size(); }

 private:
  std::string_view rest_;
};

/// The day in the proleptic Gregorian calendar, from 1970-01-01; `year` 0 is 1 BC. Years are
/// counted from March, so that the leap day is the last of its year.
std::int64_t day_number(std::int64_t year, std::int64_t month, std::int64_t day) noexcept {
  if (month <= 2) --year;
  const std::int64_t era = (year >= 0 ? year : year - 399) / 400;
  const std::int64_t year_of_era = year - era * 400;
  const std::int64_t day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
  const std::int64_t day_of_era =
      year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146'097 + day_of_era - 719'468;
}

struct calendar_day {
  std::int64_t year, month, day;
};

std::optional<calendar_day> take_day(reader& from) noexcept {
  const auto year = from.number(4, 7);
  if (!year || !from.take("-")) return {};
  const auto month = from.number(2, 2);
  if (!month || *month < 1 || *month > 12 || !from.take("-")) return {};
  const auto day = from.number(2, 2);
  if (!day || *day < 1 || *day > 31) return {};
  return calendar_day{*year, *month, *day};
}

/// "12:34:56.789", in microseconds.
std::optional<std::int64_t> take_clock(reader& from) noexcept {
  const auto hours = from.number(2, 2);
  if (!hours || *hours > 24 || !from.take(":")) return {};
  const auto minutes = from.number(2, 2);
  if (!minutes || *minutes > 59 || !from.take(":")) return {};
  const auto seconds = from.number(2, 2);
  if (!seconds || *seconds > 60) return {};
  std::int64_t micros = ((*hours * 60 + *minutes) * 60 + *seconds) * micros_per_second;
  if (!from.take(".")) return micros;
  const std::size_t before = from.left();
  auto fraction = from.number(1, 6);
  if (!fraction) return {};
  for (std::size_t digits = before - from.left(); digits < 6; ++digits) *fraction *= 10;
  return micros + *fraction;
}

/// "+01", "-03:30", "+00:53:28", in seconds; 0 if there is none.
std::optional<std::int64_t> take_zone(reader& from) noexcept {
  const bool west = from.take("-");
  if (!west && !from.take("+")) return 0;
  std::int64_t seconds = 0;
  std::int64_t unit = 3600;
  do {
    const auto part = from.number(2, 2);
    if (!part || unit == 0) return {};
    seconds += *part * unit;
    unit = unit == 3600 ? 60 : unit == 60 ? 1 : 0;
  } while (from.take(":"));
  return west ? -seconds : seconds;
}

/// False where 64 bits cannot hold the sum.
bool add(std::int64_t& to, std::int64_t what) noexcept {
  return !__builtin_add_overflow(to, what, &to);
}

}  // namespace

wire_status decode_timestamp_text(std::string_view wire, value_view& out, std::string&) {
  if (wire == "infinity" || wire == "-infinity") return wire_status::out_of_range;
  reader from(wire);
  auto day = take_day(from);
  if (!day) return wire_status::malformed;
  std::int64_t clock = 0;
  std::int64_t zone = 0;
  if (from.rest() != " BC" && from.take(" ")) {
    const auto micros = take_clock(from);
    const auto seconds = micros ? take_zone(from) : std::nullopt;
    if (!seconds) return wire_status::malformed;
    clock = *micros;
    zone = *seconds;
  }
  if (from.take(" BC")) day->year = 1 - day->year;
  if (from.left() > 0) return wire_status::malformed;

  std::int64_t micros = 0;
  if (!days_to_micros(day_number(day->year, day->month, day->day), micros) ||
      !add(micros, clock - zone * micros_per_second)) {
    return wire_status::out_of_range;
  }
  out = value_view(micros);
  return wire_status::ok;
}

wire_status decode_time_text(std::string_view wire, value_view& out, std::string&) {
  reader from(wire);
  const auto micros = take_clock(from);
  if (!micros || from.left() > 0 || *micros > micros_per_day) return wire_status::malformed;
  out = value_view(*micros);
  return wire_status::ok;
}

}  // namespace scalekit::db::postgres
