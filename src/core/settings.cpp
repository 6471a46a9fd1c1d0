#include "scalekit/core/settings.hpp"

#include <algorithm>
#include <charconv>
#include <numeric>
#include <optional>
#include <set>
#include <stdexcept>

namespace scalekit {
namespace {

/// Levenshtein: inserted, removed and replaced characters.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    auto diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const auto replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = std::exchange(row[j], std::min({row[j] + 1, row[j - 1] + 1, replaced}));
    }
  }
  return row.back();
}

/// What a user wrote, fit for a message: short, and printable ASCII.
std::string quoted(std::string_view text) {
  constexpr std::size_t most = 60;
  std::string shown = "\"";
  for (char c : text.substr(0, most)) shown += c >= ' ' && c <= '~' ? c : '?';
  return shown + (text.size() > most ? "...\"" : "\"");
}

// Queries are taken apart here: boost::urls::parse_query of 1.81 reads past the end of a text that
// ends with a name without "=" (found by the fuzzer).

/// Cuts `text` at the first `mark`, drops the mark, and returns what stood before it.
std::string_view take_until(std::string_view& text, char mark) {
  const auto end = std::min(text.find(mark), text.size());
  const auto taken = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return taken;
}

/// Nothing when a percent sign is not followed by two hex digits.
std::optional<std::string> percent_decoded(std::string_view text) {
  std::string decoded;
  while (!text.empty()) {
    if (text[0] != '%') {
      decoded += text[0];
      text.remove_prefix(1);
      continue;
    }
    unsigned char byte = 0;
    const auto digits = text.substr(1, 2);
    const auto* end = digits.data() + digits.size();
    if (digits.size() < 2 || std::from_chars(digits.data(), end, byte, 16).ptr != end) {
      return std::nullopt;
    }
    decoded += static_cast<char>(byte);
    text.remove_prefix(3);
  }
  return decoded;
}

std::string at(std::string_view where) {
  return where.empty() ? std::string() : std::string(where) + ": ";
}

}  // namespace

namespace detail {

std::string nearest_name(std::string_view name, const std::vector<std::string>& names) {
  // A typo touches a character in three at most; names far longer than any of ours are no typo.
  if (name.size() > 100) return {};
  std::string best;
  auto best_distance = std::max<std::size_t>(2, name.size() / 3) + 1;
  for (const auto& candidate : names) {
    const auto distance = edit_distance(name, candidate);
    if (distance >= best_distance) continue;
    best = candidate;
    best_distance = distance;
  }
  return best;
}

void settings_table::add(setting field) {
  fields_.push_back(std::move(field));
}

void settings_table::widen_last(const std::string& legal, std::function<bool(const void*)> also) {
  auto& last = fields_.back();
  last.legal.insert(0, legal);
  last.in_range = [also = std::move(also), in_range = last.in_range](const void* object) {
    return also(object) || in_range(object);
  };
}

const setting* settings_table::find(std::string_view name) const noexcept {
  for (const auto& field : fields_) {
    if (field.name == name) return &field;
  }
  return nullptr;
}

void settings_table::refuse_unknown(std::string_view name, std::string_view where) const {
  std::vector<std::string> names;
  names.reserve(fields_.size());
  for (const auto& field : fields_) names.push_back(field.name);
  const auto nearest = nearest_name(name, names);
  std::string hint = "; did you mean " + nearest + "?";
  if (nearest.empty()) {
    hint = "; legal: ";
    for (const auto& known : names) hint += (&known == names.data() ? "" : ", ") + known;
  }
  throw std::invalid_argument(at(where) + "unknown setting " + quoted(name) + " of " +
                              struct_name_ + hint);
}

void settings_table::validate(const void* object) const {
  for (const auto& field : fields_) {
    if (field.in_range(object)) continue;
    throw std::invalid_argument(struct_name_ + "." + field.name + " is " +
                                (field.is_secret ? "***" : field.get(object)) +
                                "; legal: " + field.legal);
  }
}

void settings_table::set(void* object, std::string_view name, std::string_view text,
                         std::string_view where, setting_origin origin,
                         settings_origins& origins) const {
  const auto* field = find(name);
  if (field == nullptr) refuse_unknown(name, where);
  if (!field->set(object, text) || !field->in_range(object)) {
    throw std::invalid_argument(at(where) + std::string(name) + " is " +
                                (field->is_secret ? "***" : quoted(text)) +
                                "; legal: " + field->legal);
  }
  origins.note(name, origin);
}

void settings_table::set_from_query(void* object, std::string_view query, std::string_view where,
                                    settings_origins& origins) const {
  std::set<std::string> given;
  while (!query.empty()) {
    const auto pair = take_until(query, '&');
    auto encoded_value = pair;
    const auto name = percent_decoded(take_until(encoded_value, '='));
    const auto value = percent_decoded(encoded_value);
    if (!name || !value) {
      throw std::invalid_argument(at(where) + "the query is not percent-encoded text");
    }
    if (pair.empty()) continue;
    if (!given.insert(*name).second) {
      throw std::invalid_argument(at(where) + quoted(*name) + " is given twice");
    }
    set(object, *name, *value, where, setting_origin::url, origins);
  }
}

std::vector<setting_report> settings_table::report(const void* object, const void* defaults,
                                                   const settings_origins& origins) const {
  auto show = [](const setting& field, const void* of) {
    auto text = field.get(of);
    return field.is_secret && !text.empty() ? std::string("***") : text;
  };
  std::vector<setting_report> all;
  for (const auto& field : fields_) {
    // Compared before masking: a secret that differs from the default was set by somebody.
    const bool is_default = field.get(object) == field.get(defaults);
    const auto* noted = origins.find(field.name);
    const auto unnoted = is_default ? setting_origin::built_in : setting_origin::host;
    all.push_back({field.name, show(field, object), noted ? *noted : unnoted, show(field, defaults),
                   field.legal, field.doc});
  }
  return all;
}

}  // namespace detail

const char* to_string(setting_origin origin) noexcept {
  switch (origin) {
    case setting_origin::built_in:
      return "default";
    case setting_origin::host:
      return "host";
    case setting_origin::file:
      return "file";
    case setting_origin::url:
      return "url";
  }
  return "unknown";
}

std::string to_markdown(const std::vector<setting_report>& settings) {
  std::string table = "| setting | default | legal | meaning |\n|---|---|---|---|\n";
  for (const auto& s : settings) {
    const auto shown = s.default_value.empty() ? std::string("empty") : s.default_value;
    table += "| `" + s.name + "` | " + shown + " | " + s.legal + " | " + s.doc + " |\n";
  }
  return table;
}

}  // namespace scalekit
