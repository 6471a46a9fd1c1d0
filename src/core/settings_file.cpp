#include "scalekit/core/settings_file.hpp"

#include "core/unique_keys.hpp"
#include "scalekit/core/error.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <fstream>
#include <optional>
#include <set>
#include <stdexcept>
#include <system_error>
#include <utility>
#include <vector>

namespace scalekit {

namespace json = boost::json;

struct settings_file::state {
  std::string name;
  json::object sections;
  // Every section somebody asked for, present or not: the candidates for "did you mean".
  std::set<std::string, std::less<>> asked;
};

namespace {

/// One step of a JSON pointer (RFC 6901).
std::string escaped(std::string_view key) {
  std::string text;
  for (char c : key) {
    if (c == '~') {
      text += "~0";
    } else if (c == '/') {
      text += "~1";
    } else {
      text += c;
    }
  }
  return text;
}

std::string line_and_column(std::string_view text, std::size_t offset) {
  const auto before = text.substr(0, offset);
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  const auto start = before.rfind('\n');
  const auto column = start == std::string_view::npos ? offset + 1 : offset - start;
  return "line " + std::to_string(line) + ", column " + std::to_string(column);
}

/// A scalar as a person would have typed it into a URL; nothing for the rest.
std::optional<std::string> as_text(const json::value& value) {
  switch (value.kind()) {
    case json::kind::string:
      return std::string(value.get_string());
    case json::kind::bool_:
      return value.get_bool() ? "true" : "false";
    case json::kind::int64:
      return std::to_string(value.get_int64());
    case json::kind::uint64:
      return std::to_string(value.get_uint64());
    case json::kind::double_: {
      std::array<char, 32> text;
      const auto end = std::to_chars(text.data(), text.data() + text.size(), value.get_double());
      return std::string(text.data(), end.ptr);
    }
    default:
      return std::nullopt;
  }
}

struct object_reader {
  const detail::settings_table& table;
  void* object;
  settings_origins& origins;
  const std::string& file;

  /// `prefix` is the name so far, with its dot; `pointer` the place in the file.
  void read(const json::object& from, const std::string& prefix, const std::string& pointer) {
    for (const auto& [key, value] : from) {
      const auto name = prefix + std::string(key);
      const auto place = pointer + "/" + escaped(key);
      if (value.is_object() && is_prefix(name + ".")) {
        read(value.get_object(), name + ".", place);
        continue;
      }
      if (value.is_array() && is_list(name)) {
        read_list(value.get_array(), name, place);
        continue;
      }
      set(name, text_of(name, value, place), place);
    }
  }

 private:
  void set(const std::string& name, const std::string& text, const std::string& place) {
    table.set(object, name, text, file + " at " + place, setting_origin::file, origins);
  }

  std::string text_of(const std::string& name, const json::value& value,
                      const std::string& place) const {
    auto text = as_text(value);
    if (!text) refuse(name, value, place);
    return *std::move(text);
  }

  /// Each element by itself first, so that an error names its place.
  void read_list(const json::array& from, const std::string& name, const std::string& place) {
    std::string all;
    for (std::size_t i = 0; i < from.size(); ++i) {
      const auto here = place + "/" + std::to_string(i);
      const auto text = text_of(name, from[i], here);
      set(name, text, here);
      all += (i == 0 ? "" : ";") + text;
    }
    set(name, all, place);
  }

  bool is_list(const std::string& name) const {
    const auto& fields = table.fields();
    return std::any_of(fields.begin(), fields.end(),
                       [&](const auto& field) { return field.is_list && field.name == name; });
  }

  bool is_prefix(std::string_view start) const {
    const auto& fields = table.fields();
    return std::any_of(fields.begin(), fields.end(),
                       [&](const auto& field) { return field.name.starts_with(start); });
  }

  [[noreturn]] void refuse(const std::string& name, const json::value& value,
                           const std::string& place) const {
    const auto where = file + " at " + place;
    for (const auto& field : table.fields()) {
      if (field.name != name) continue;
      const auto* kind = value.is_object() ? "an object" : value.is_array() ? "an array" : "null";
      throw std::invalid_argument(where + ": " + name + " is " + kind + "; legal: " + field.legal);
    }
    table.refuse_unknown(name, where);
  }
};

}  // namespace

settings_file::settings_file(std::unique_ptr<state> s) : state_(std::move(s)) {}
settings_file::~settings_file() = default;
settings_file::settings_file(settings_file&&) noexcept = default;
settings_file& settings_file::operator=(settings_file&&) noexcept = default;

settings_file settings_file::load(const std::string& path) {
  auto fail = [&path](const std::string& what) {
    throw error(errc::io_error, "settings file " + path + ": " + what);
  };
  errno = 0;
  std::ifstream in(path, std::ios::binary);
  if (!in) fail(std::generic_category().message(errno));
  std::string text(max_bytes + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (in.bad()) fail("cannot be read");
  text.resize(static_cast<std::size_t>(in.gcount()));
  return parse(text, path);
}

settings_file settings_file::parse(std::string_view text, std::string name) {
  if (text.size() > max_bytes) {
    throw std::invalid_argument(name + ": larger than " + format_size(max_bytes));
  }
  json::parse_options options;
  options.allow_comments = true;
  options.allow_trailing_commas = true;
  json::stream_parser parser({}, options);
  json::error_code failure;
  std::size_t read = 0;
  if (!text.empty()) read = parser.write_some(text.data(), text.size(), failure);
  if (!failure && read < text.size()) failure = json::make_error_code(json::error::extra_data);
  if (!failure) parser.finish(failure);
  if (failure) {
    throw std::invalid_argument(name + ", " + line_and_column(text, read) +
                                ": not valid JSON: " + failure.message());
  }
  if (const auto key = detail::find_repeated_key(text)) {
    throw std::invalid_argument(name + ": \"" + *key + "\" is there twice in one object");
  }
  auto document = parser.release();
  if (!document.is_object()) {
    throw std::invalid_argument(name + ": must be one JSON object with a section a room");
  }
  auto s = std::make_unique<state>();
  s->name = std::move(name);
  s->sections = std::move(document.get_object());
  return settings_file(std::move(s));
}

bool settings_file::has(std::string_view section) const {
  return state_->sections.contains(section);
}

void settings_file::apply(std::string_view section, const detail::settings_table& table,
                          void* object, settings_origins& origins) {
  state_->asked.emplace(section);
  const auto* value = state_->sections.if_contains(section);
  if (value == nullptr) return;
  const auto pointer = "/" + escaped(section);
  if (!value->is_object()) {
    throw std::invalid_argument(state_->name + " at " + pointer + ": must be a JSON object");
  }
  object_reader{table, object, origins, state_->name}.read(value->get_object(), "", pointer);
}

void settings_file::require_all_used() const {
  for (const auto& [section, value] : state_->sections) {
    if (state_->asked.contains(section)) continue;
    const std::vector<std::string> known(state_->asked.begin(), state_->asked.end());
    const auto nearest = detail::nearest_name(section, known);
    throw std::invalid_argument(state_->name + " at /" + escaped(section) +
                                ": nothing here has settings of that name" +
                                (nearest.empty() ? "" : "; did you mean " + nearest + "?"));
  }
}

}  // namespace scalekit
