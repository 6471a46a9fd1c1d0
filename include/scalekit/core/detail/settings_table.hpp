#pragma once

#include "scalekit/core/export.hpp"
#include "scalekit/core/settings_text.hpp"

#include <charconv>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace scalekit {
enum class setting_origin;
class settings_origins;
struct setting_report;
}  // namespace scalekit

namespace scalekit::detail {

/// One field of a struct whose type is erased: `object` points to the struct.
struct setting {
  std::string name = {};
  /// What may be written, for a person: "1 ms to 24 h".
  std::string legal = {};
  std::string doc = {};
  bool is_secret = false;
  /// Text has its elements with ';' between.
  bool is_list = false;

  std::function<std::string(const void* object)> get = {};
  /// Leaves the field alone and returns false for text that is no such value.
  std::function<bool(void* object, std::string_view text)> set = {};
  std::function<bool(const void* object)> in_range = {};
};

/// The fields of one struct.
class SCALEKIT_EXPORT settings_table {
 public:
  explicit settings_table(std::string struct_name) : struct_name_(std::move(struct_name)) {}

  void add(setting field);
  /// Of the field that was added last.
  void mark_secret() { fields_.back().is_secret = true; }
  void mark_list() { fields_.back().is_list = true; }
  /// What `also` holds for is legal too; `legal` stands before the range.
  void widen_last(const std::string& legal, std::function<bool(const void* object)> also);

  const std::vector<setting>& fields() const noexcept { return fields_; }
  const std::string& struct_name() const noexcept { return struct_name_; }

  void validate(const void* object) const;
  void set(void* object, std::string_view name, std::string_view text, std::string_view where,
           setting_origin origin, settings_origins& origins) const;
  void set_from_query(void* object, std::string_view query, std::string_view where,
                      settings_origins& origins) const;
  std::vector<setting_report> report(const void* object, const void* defaults,
                                     const settings_origins& origins) const;

  /// std::invalid_argument for a name that no field has; suggests the nearest.
  [[noreturn]] void refuse_unknown(std::string_view name, std::string_view where) const;

 private:
  const setting* find(std::string_view name) const noexcept;

  std::string struct_name_;
  std::vector<setting> fields_;
};

/// The name among `names` that was probably meant by `name`; empty when none is near.
SCALEKIT_EXPORT std::string nearest_name(std::string_view name,
                                         const std::vector<std::string>& names);

template <class T>
struct is_duration : std::false_type {};
template <class Rep, class Period>
struct is_duration<std::chrono::duration<Rep, Period>> : std::true_type {};

template <class T>
concept duration = is_duration<T>::value;

template <class T>
concept number = (std::integral<T> && !std::same_as<T, bool>) || std::floating_point<T>;

/// How a value is read from text and written as text.
template <class T>
struct setting_text;

template <>
struct setting_text<bool> {
  static std::optional<bool> parse(std::string_view text) { return parse_bool(text); }
  static std::string format(bool value) { return value ? "true" : "false"; }
};

template <>
struct setting_text<std::string> {
  static std::optional<std::string> parse(std::string_view text) { return std::string(text); }
  static std::string format(const std::string& value) { return value; }
};

/// No text is one element, which is empty.
template <>
struct setting_text<std::vector<std::string>> {
  static std::optional<std::vector<std::string>> parse(std::string_view text) {
    std::vector<std::string> all;
    for (;;) {
      const auto end = text.find(';');
      all.emplace_back(text.substr(0, end));
      if (end == std::string_view::npos) return all;
      text.remove_prefix(end + 1);
    }
  }
  static std::string format(const std::vector<std::string>& all) {
    std::string text;
    for (const auto& one : all) text += (&one == &all.front() ? "" : ";") + one;
    return text;
  }
};

template <number T>
struct setting_text<T> {
  static std::optional<T> parse(std::string_view text) {
    T value{};
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failure != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
  }
  static std::string format(T value) {
    char text[32];
    const auto end = std::to_chars(text, text + sizeof text, value).ptr;
    return {text, end};
  }
};

template <duration T>
struct setting_text<T> {
  static std::optional<T> parse(std::string_view text) {
    const auto value = parse_duration(text);
    // What is finer than the field's own unit would be lost silently.
    if (!value || std::chrono::duration_cast<T>(*value) != *value) return std::nullopt;
    return std::chrono::duration_cast<T>(*value);
  }
  static std::string format(T value) { return format_duration(value); }
};

}  // namespace scalekit::detail
