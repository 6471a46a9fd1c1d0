#pragma once

#include "scalekit/core/export.hpp"
#include "scalekit/core/settings.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace scalekit {

/// The settings of all rooms in one JSON file, each room an object under its own name:
///
///     {
///       "db":    { "statement_timeout": "250ms", "readers": 8, "pool": { "max": 40 } },
///       "cache": { "memory": { "max_bytes": "64MiB" } }   // comments are allowed
///     }
///
/// Durations and sizes are strings with a unit (plain numbers are milliseconds and bytes), nested
/// structs are nested objects, lists arrays. Errors name the file and the place: line and column
/// for what is no JSON, else the JSON pointer of the value.
///
/// Thread safety: one thread at a time.
class SCALEKIT_EXPORT settings_file {
 public:
  /// Files and texts above this are refused.
  static constexpr std::size_t max_bytes = std::size_t{1} << 20;

  /// Reads a file. Throws scalekit::error (errc::io_error, naming path and reason) when it cannot
  /// be read, std::invalid_argument as parse() does.
  static settings_file load(const std::string& path);

  /// Reads JSON text; `name` stands for the path in messages. Throws std::invalid_argument when
  /// it is not one JSON object, or a key stands twice in one object.
  static settings_file parse(std::string_view text, std::string name);

  ~settings_file();
  settings_file(settings_file&&) noexcept;
  settings_file& operator=(settings_file&&) noexcept;

  bool has(std::string_view section) const;

  /// Sets what `section` names, and marks it as used; nothing happens when there is no such
  /// section. Throws std::invalid_argument and leaves `params` as it was.
  template <class T>
  void apply(std::string_view section, const settings_schema<T>& schema, T& params,
             settings_origins& origins) {
    T copy = params;
    auto noted = origins;
    apply(section, schema.table(), &copy, noted);
    params = std::move(copy);
    origins = std::move(noted);
  }

  /// Throws std::invalid_argument for a section that nobody applied: a misspelt room would
  /// otherwise run on its defaults. Call after the last apply().
  void require_all_used() const;

 private:
  struct state;
  explicit settings_file(std::unique_ptr<state> s);

  void apply(std::string_view section, const detail::settings_table& table, void* object,
             settings_origins& origins);

  std::unique_ptr<state> state_;
};

}  // namespace scalekit
