#pragma once

#include <string>
#include <string_view>

namespace storefront {

/// The value of a cookie in a Cookie header; empty when there is none.
std::string_view cookie_value(std::string_view header, std::string_view name);

}  // namespace storefront
