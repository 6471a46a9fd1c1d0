#include "db/sqlite/parameters.hpp"

#include "scalekit/core/error.hpp"

#include <charconv>
#include <cmath>
#include <cstring>
#include <string_view>

namespace scalekit::db::sqlite {
namespace {

[[noreturn]] void refuse(std::string text) {
  throw error(errc::parameter_mismatch, std::move(text));
}

/// The number in "$7" or "?7"; 0 for a name.
int number_of(std::string_view name) {
  int number = 0;
  auto [end, ec] = std::from_chars(name.data() + 1, name.data() + name.size(), number);
  return ec == std::errc{} && end == name.data() + name.size() && number > 0 ? number : 0;
}

[[noreturn]] void refuse_value(std::size_t index, const char* why) {
  throw error(errc::value_out_of_range, "parameter $" + std::to_string(index + 1) + ": " + why);
}

int bind(sqlite3_stmt* statement, int to, std::size_t index, const value_view& v) {
  switch (v.kind()) {
    case value_kind::null:
      return sqlite3_bind_null(statement, to);
    case value_kind::integer:
      return sqlite3_bind_int64(statement, to, v.integer());
    case value_kind::real:
      if (std::isnan(v.real())) refuse_value(index, "is NaN, which cannot be stored");
      return sqlite3_bind_double(statement, to, v.real());
    case value_kind::text: {
      auto text = v.text();
      if (!text.empty() && std::memchr(text.data(), 0, text.size()) != nullptr) {
        refuse_value(index, "is text with a NUL in it; bind it as bytes");
      }
      // An empty view may have no address, and a null address would bind null.
      return sqlite3_bind_text64(statement, to, text.empty() ? "" : text.data(), text.size(),
                                 SQLITE_STATIC, SQLITE_UTF8);
    }
    case value_kind::blob: {
      auto blob = v.blob();
      if (blob.empty()) return sqlite3_bind_zeroblob(statement, to, 0);
      return sqlite3_bind_blob64(statement, to, blob.data(), blob.size(), SQLITE_STATIC);
    }
    case value_kind::array:
      throw error(errc::not_supported,
                  "parameter $" + std::to_string(index + 1) +
                      " is an array, which SQLite cannot store; bind its elements one by one, or "
                      "as JSON text for json_each()");
  }
  return SQLITE_OK;
}

}  // namespace

std::vector<int> map_parameters(sqlite3_stmt* statement) {
  const int count = sqlite3_bind_parameter_count(statement);
  std::vector<int> map(static_cast<std::size_t>(count), 0);
  bool dollars = false, marks = false;
  for (int i = 1; i <= count; ++i) {
    const char* name = sqlite3_bind_parameter_name(statement, i);
    // Null: a plain `?`, or the gap that a higher `?N` has left.
    std::string_view text = name == nullptr ? "?" : name;
    int number = i;
    if (text != "?" && text.front() != '?') {
      dollars = true;
      number = text.front() == '$' ? number_of(text) : 0;
      if (number == 0) {
        refuse("parameter " + std::string(text) + " has a name; write $1, $2, ...");
      }
    } else {
      marks = true;
    }
    if (number > count) {
      refuse("parameter " + std::string(text) + " leaves a gap: the statement has only " +
             std::to_string(count) + " parameters");
    }
    map[static_cast<std::size_t>(number) - 1] = i;
  }
  if (dollars && marks) refuse("parameters are written both as $1 and as ?; use one of them");
  return map;
}

void bind_parameters(sqlite3_stmt* statement, const std::vector<int>& map,
                     const value_list& values) {
  if (values.size() != map.size()) {
    refuse("the statement has " + std::to_string(map.size()) + " parameters, " +
           std::to_string(values.size()) + " values were bound");
  }
  for (std::size_t i = 0; i < map.size(); ++i) {
    int rc = bind(statement, map[i], i, values[i]);
    if (rc == SQLITE_TOOBIG) {
      throw error(errc::too_large,
                  "parameter $" + std::to_string(i + 1) + " is larger than max_value_bytes");
    }
    if (rc != SQLITE_OK) {
      throw error(make_error_code(errc::backend_error),
                  {"parameter $" + std::to_string(i + 1) + " could not be bound",
                   sqlite3_errstr(rc),
                   std::to_string(rc),
                   {}});
    }
  }
}

}  // namespace scalekit::db::sqlite
