#pragma once

namespace scalekit::db {

/// Which database a client talks to: for the few statements that one cannot take as the other does.
enum class dialect { sqlite, postgres };

}  // namespace scalekit::db
