#pragma once

#include "db/classify/statement_class.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>

namespace scalekit::db::detail {

/// Which functions of a database exist, and which may have effects. Filled from the answer to
/// function_catalogue_query, then only read: safe from any thread once it is filled.
class function_catalogue {
 public:
  /// One row of the answer: schema, name, whether any overload is volatile.
  void add(std::string_view schema, std::string_view name, bool any_volatile);

  enum class verdict { unknown, has_effects, no_effects };

  /// By schema and name; without a schema, has_effects wins over all schemas with that name.
  verdict of(const called_function& f) const;

  std::size_t size() const noexcept { return qualified_.size(); }

 private:
  std::unordered_map<std::string, bool> by_name_;
  // "schema.name" with a NUL for the dot, which no name contains.
  std::unordered_map<std::string, bool> qualified_;
};

/// Columns: schema text, name text, any_volatile bool. One row a name and schema, about 3,000 in
/// an empty database. No parameters; any user may ask.
extern const std::string_view function_catalogue_query;

enum class execute_route : std::uint8_t {
  /// A replica may serve it.
  any,
  primary,
};

/// Where execute() sends a statement: a replica only gets a read that locks nothing and calls
/// nothing but functions the catalogue calls free of effects. Null: no catalogue yet, so every
/// call means primary.
execute_route route_of(const statement_class& c, const function_catalogue* known);

}  // namespace scalekit::db::detail
