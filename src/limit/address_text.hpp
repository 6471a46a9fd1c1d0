#pragma once

#include "scalekit/limit/ip_address.hpp"

#include <optional>
#include <string_view>

namespace scalekit::limit::detail {

/// ip_address::parse() without the error object: for text that strangers may fill with garbage.
std::optional<ip_address> read_address(std::string_view text) noexcept;

}  // namespace scalekit::limit::detail
