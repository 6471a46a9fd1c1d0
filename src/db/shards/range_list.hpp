#pragma once

#include "scalekit/db/shard_key.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace scalekit::db::detail {

/// Ranges in order, none touching another.
using range_list = std::vector<shard_range>;

/// With all that is in `more`. Precondition: `more` is not empty.
range_list with(range_list list, shard_range more);

/// Without anything that is in `less`.
range_list without(const range_list& list, const shard_range& less);

/// As it is stored beside the triggers that are made of it.
std::string to_json(const range_list& list);
range_list parse_ranges(std::string_view json);

}  // namespace scalekit::db::detail
