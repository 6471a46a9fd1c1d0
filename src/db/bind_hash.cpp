#include "db/bind_hash.hpp"

#include <cstddef>

namespace scalekit::db::detail {

// FNV-1a.
std::uint64_t bind_hash(const value_list& values) noexcept {
  std::uint64_t h = 14695981039346656037ULL;
  auto mix = [&h](const void* data, std::size_t size) {
    for (std::size_t i = 0; i < size; ++i) {
      h = (h ^ static_cast<const unsigned char*>(data)[i]) * 1099511628211ULL;
    }
  };
  for (std::size_t i = 0; i < values.size(); ++i) {
    auto v = values[i];
    switch (v.kind()) {
      case value_kind::null:
        break;
      case value_kind::integer: {
        auto number = v.integer();
        mix(&number, sizeof number);
        break;
      }
      case value_kind::real: {
        auto number = v.real();
        mix(&number, sizeof number);
        break;
      }
      case value_kind::text:
        mix(v.text().data(), v.text().size());
        break;
      case value_kind::blob:
        mix(v.blob().data(), v.blob().size());
        break;
      case value_kind::array:
        mix(v.array().packed().data(), v.array().packed().size());
        break;
    }
  }
  return h;
}

slow::outcome outcome_of(const std::exception_ptr& failure) noexcept {
  if (!failure) return slow::outcome::ok;
  try {
    auto code = to_error(failure).code();
    if (code == errc::cancelled) return slow::outcome::cancelled;
    return is_timeout(code) ? slow::outcome::timeout : slow::outcome::error;
  } catch (...) {
    return slow::outcome::error;
  }
}

}  // namespace scalekit::db::detail
