#pragma once

#include "scalekit/core/export.hpp"

#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace scalekit::db {

/// What is told apart about hosts, by name: {{"role", "reports"}, {"region", "eu"}}.
using labels = std::map<std::string, std::string, std::less<>>;

/// "role=reports,region=eu". Names and values are letters, digits, '_', '-' and '.'; each name
/// once; blanks around are dropped. Throws errc::invalid_argument naming the part that is wrong.
SCALEKIT_EXPORT labels parse_labels(std::string_view text);

SCALEKIT_EXPORT std::string format_labels(const labels& all);

}  // namespace scalekit::db
