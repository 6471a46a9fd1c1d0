#pragma once

#include <string>
#include <string_view>

namespace scalekit::cache::detail {

/// Under what memcached knows a key: "NAMESPACE:k:" and the key itself, where that is one word of
/// at most 250 bytes; else "NAMESPACE:h:" and its SHA-256 in hexadecimal. The entry has the whole
/// key in it, which is compared.
std::string memcached_name(std::string_view name_space, std::string_view key);

}  // namespace scalekit::cache::detail
