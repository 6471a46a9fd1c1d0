#pragma once

#include "scalekit/db/client_params.hpp"

#include <string>
#include <string_view>

namespace scalekit::db::sqlite {

/// What opening a SQLite database needs.
struct settings {
  /// As given to SQLite; ":memory:" for a database in memory.
  std::string path;
  client_params params;

  bool in_memory() const noexcept { return path == ":memory:"; }
};

enum class connection_role { writer, reader };

/// Settings from `params` overridden by the URL's query, checked. Throws std::invalid_argument
/// naming the field, the value and what is legal.
settings settings_from_url(std::string_view url, client_params params);

}  // namespace scalekit::db::sqlite
