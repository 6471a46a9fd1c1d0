#include "db/postgres/wire_bytes.hpp"
#include "db/postgres/wire_time.hpp"
#include "db/postgres/wire_values.hpp"

#include <cstdio>
#include <limits>

// interval on the wire: microseconds (64 bits), days, months (32 bits each), with signs of their
// own: "1 mon -2 days +03:00:00".

namespace scalekit::db::postgres {
namespace {

class interval_printer {
 public:
  explicit interval_printer(std::string& to) : to_(to) { to_.clear(); }

  void field(std::int32_t value, std::string_view unit) {
    if (value == 0) return;
    begin_field(value < 0, "");
    to_ += std::to_string(value);
    to_.append(" ").append(unit);
    if (value != 1) to_ += 's';
  }

  void clock(std::int64_t micros) {
    if (micros == 0 && !to_.empty()) return;
    begin_field(micros < 0, "-");
    const auto size =
        micros < 0 ? 0 - static_cast<std::uint64_t>(micros) : static_cast<std::uint64_t>(micros);
    const auto seconds = size / micros_per_second, fraction = size % micros_per_second;
    char text[40];
    std::snprintf(text, sizeof text, "%02llu:%02u:%02u",
                  static_cast<unsigned long long>(seconds / 3600),
                  static_cast<unsigned>(seconds / 60 % 60), static_cast<unsigned>(seconds % 60));
    to_ += text;
    if (fraction == 0) return;
    std::snprintf(text, sizeof text, ".%06u", static_cast<unsigned>(fraction));
    to_ += text;
    to_.erase(to_.find_last_not_of('0') + 1);
  }

 private:
  /// What follows a negative field shows its sign even if it is a plus.
  void begin_field(bool negative, std::string_view minus) {
    if (!to_.empty()) to_ += ' ';
    if (negative) {
      to_ += minus;
    } else if (after_negative_) {
      to_ += '+';
    }
    after_negative_ = negative;
  }

  std::string& to_;
  bool after_negative_ = false;
};

template <class T>
constexpr bool is_end(T value, bool upper) noexcept {
  return value == (upper ? std::numeric_limits<T>::max() : std::numeric_limits<T>::min());
}

}  // namespace

wire_status decode_interval(std::string_view wire, value_view& out, std::string& scratch) {
  if (wire.size() != 16) return wire_status::malformed;
  const auto micros = load_big_endian<std::int64_t>(wire.data());
  const auto days = load_big_endian<std::int32_t>(wire.data() + 8);
  const auto months = load_big_endian<std::int32_t>(wire.data() + 12);
  // Since PostgreSQL 17 an interval can be infinite: all three are at their end.
  for (bool upper : {false, true}) {
    if (is_end(micros, upper) && is_end(days, upper) && is_end(months, upper)) {
      scratch.assign(upper ? "infinity" : "-infinity");
      out = value_view(std::string_view(scratch));
      return wire_status::ok;
    }
  }
  interval_printer printer(scratch);
  printer.field(months / 12, "year");
  printer.field(months % 12, "mon");
  printer.field(days, "day");
  printer.clock(micros);
  out = value_view(std::string_view(scratch));
  return wire_status::ok;
}

}  // namespace scalekit::db::postgres
