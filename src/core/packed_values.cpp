#include "scalekit/core/detail/packed_values.hpp"

#include "scalekit/core/array_view.hpp"
#include "scalekit/core/error.hpp"

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace scalekit::detail {
namespace {

static_assert(std::endian::native == std::endian::little);

template <class Number>
void append(std::string& to, Number value) {
  char bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof value);
  to.append(bytes, sizeof value);
}

void append_sized(std::string& to, std::string_view content) {
  append(to, static_cast<std::uint64_t>(content.size()));
  to.append(content);
}

std::string_view take_bytes(std::string_view& from, std::uint64_t size) {
  if (from.size() < size) throw error(errc::corrupt, "packed values end in the middle");
  const auto taken = from.substr(0, static_cast<std::size_t>(size));
  from.remove_prefix(taken.size());
  return taken;
}

template <class Number>
Number take(std::string_view& from) {
  Number value;
  std::memcpy(&value, take_bytes(from, sizeof value).data(), sizeof value);
  return value;
}

std::string_view take_sized(std::string_view& from) {
  const auto size = take<std::uint64_t>(from);
  return take_bytes(from, size);
}

}  // namespace

void pack(std::string& to, const value_view& value) {
  to += static_cast<char>(value.kind());
  switch (value.kind()) {
    case value_kind::null:
      return;
    case value_kind::integer:
      return append(to, value.integer());
    case value_kind::real:
      return append(to, value.real());
    case value_kind::text:
      return append_sized(to, value.text());
    case value_kind::blob: {
      const auto blob = value.blob();
      return append_sized(to, {reinterpret_cast<const char*>(blob.data()), blob.size()});
    }
    case value_kind::array:
      return append_sized(to, value.array().packed());
  }
}

value_view unpack(std::string_view& from) {
  switch (static_cast<value_kind>(take_bytes(from, 1)[0])) {
    case value_kind::null:
      return {};
    case value_kind::integer:
      return value_view(take<std::int64_t>(from));
    case value_kind::real:
      return value_view(take<double>(from));
    case value_kind::text:
      return value_view(take_sized(from));
    case value_kind::blob: {
      const auto blob = take_sized(from);
      return value_view(std::as_bytes(std::span(blob.data(), blob.size())));
    }
    case value_kind::array:
      return value_view(array_view(take_sized(from)));
  }
  throw error(errc::corrupt, "a packed value is of no known kind");
}

}  // namespace scalekit::detail
