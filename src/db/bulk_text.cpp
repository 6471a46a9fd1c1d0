#include "db/bulk_text.hpp"

#include "scalekit/core/error.hpp"

#include <algorithm>
#include <initializer_list>

namespace scalekit::db::detail {

std::string quoted_column(std::string_view name) {
  if (name.empty() || name.find('\0') != std::string_view::npos) {
    throw error(errc::invalid_argument,
                "the name of a table or column is empty or has a NUL in it");
  }
  std::string out = "\"";
  for (const char c : name) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + '"';
}

std::string quoted_table(std::string_view name) {
  std::string out;
  for (std::size_t dot; (dot = name.find('.')) != std::string_view::npos;) {
    out += quoted_column(name.substr(0, dot)) + '.';
    name.remove_prefix(dot + 1);
  }
  return out + quoted_column(name);
}

std::string column_list(const std::vector<std::string>& columns) {
  std::string out;
  for (const auto& name : columns) out += (out.empty() ? "" : ", ") + quoted_column(name);
  return out;
}

bulk_target complete(bulk_target into, const std::string_view* names, std::size_t count) {
  if (into.columns.empty() && names != nullptr) into.columns.assign(names, names + count);
  if (into.columns.size() != count || count == 0) {
    throw error(errc::invalid_argument, "a bulk write to " + into.table + " names " +
                                            std::to_string(into.columns.size()) +
                                            " columns, its rows have " + std::to_string(count));
  }
  return into;
}

std::string insert_text(const bulk_target& into, const insert_options& options, std::size_t rows) {
  std::string text =
      "insert into " + quoted_table(into.table) + " (" + column_list(into.columns) + ") values ";
  std::size_t next = 1;
  for (std::size_t r = 0; r < rows; ++r) {
    text += r == 0 ? "(" : ", (";
    for (std::size_t c = 0; c < into.columns.size(); ++c) {
      text += (c == 0 ? "$" : ", $") + std::to_string(next++);
    }
    text += ')';
  }
  if (options.conflict == on_conflict::fail) return text;
  text += " on conflict";
  if (!options.key.empty()) text += " (" + column_list(options.key) + ")";
  if (options.conflict == on_conflict::skip) return text + " do nothing";
  if (options.key.empty()) {
    throw error(errc::invalid_argument,
                "insert_options.key is empty; on_conflict::update needs it");
  }
  std::string changes;
  for (const auto& name : into.columns) {
    if (std::ranges::find(options.key, name) != options.key.end()) continue;
    const auto quoted = quoted_column(name);
    changes += (changes.empty() ? "" : ", ") + quoted + " = excluded." + quoted;
  }
  return text + (changes.empty() ? " do nothing" : " do update set " + changes);
}

std::string update_text(const bulk_target& in, const std::vector<std::string>& key,
                        std::size_t rows) {
  std::string changes, matches;
  for (const auto& name : in.columns) {
    const auto quoted = quoted_column(name);
    if (std::ranges::find(key, name) != key.end()) {
      matches += (matches.empty() ? "old." : " and old.") + quoted + " = new." + quoted;
    } else {
      changes += (changes.empty() ? "" : ", ") + quoted + " = new." + quoted;
    }
  }
  const bool is_known = std::ranges::all_of(key, [&](const std::string& name) {
    return std::ranges::find(in.columns, name) != in.columns.end();
  });
  if (changes.empty() || matches.empty() || !is_known) {
    throw error(errc::invalid_argument,
                "update_options.key must name some of the columns that are written to " + in.table +
                    ", and not all");
  }
  // The first part has no rows; it tells the server the types of what follows.
  const auto table = quoted_table(in.table);
  std::string text = "update " + table + " as old set " + changes + " from (select " +
                     column_list(in.columns) + " from " + table + " where false";
  std::size_t next = 1;
  for (std::size_t r = 0; r < rows; ++r) {
    text += " union all select ";
    for (std::size_t c = 0; c < in.columns.size(); ++c) {
      text += (c == 0 ? "$" : ", $") + std::to_string(next++);
    }
  }
  return text + ") as new where " + matches;
}

std::size_t rows_of_next(std::size_t left, std::size_t most) noexcept {
  for (const auto size : std::initializer_list<std::size_t>{128, 32, 8, 1}) {
    if (size <= left && size <= most) return size;
  }
  return 1;
}

}  // namespace scalekit::db::detail
