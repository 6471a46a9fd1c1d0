#pragma once

#include <scalekit/db/dialect.hpp>

#include <string>
#include <string_view>

namespace storefront {

/// The text of schema.sql, put into the program when it is built. It is SQLite's.
extern const std::string_view schema_sql;

/// The same tables for `target`.
std::string schema_for(scalekit::db::dialect target);

}  // namespace storefront
