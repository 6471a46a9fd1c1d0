#pragma once

#include <string_view>

namespace storefront {

/// The text of schema.sql, put into the program when it is built.
extern const std::string_view schema_sql;

}  // namespace storefront
