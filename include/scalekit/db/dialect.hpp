#pragma once

namespace scalekit::db {

/// The SQL that a database speaks: for code that writes statements for either.
enum class dialect { sqlite, postgres };

}  // namespace scalekit::db
