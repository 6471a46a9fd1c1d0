#include "db/postgres/wire_bytes.hpp"
#include "db/postgres/wire_types.hpp"
#include "db/postgres/wire_values.hpp"
#include "scalekit/core/array_view.hpp"
#include "scalekit/core/detail/array_packer.hpp"

// An array on the wire, numbers of 32 bits: how many dimensions, whether nulls are in it, the type
// of the elements; for each dimension its size and lower bound; for each element its size (-1:
// null) and its bytes.

namespace scalekit::db::postgres {
namespace {

constexpr std::size_t header_size = 12;
constexpr std::size_t dimension_size = 8;

wire_status finish(scalekit::detail::array_packer<std::string>& packer, value_view& out,
                   std::string& scratch) {
  packer.finish();
  out = value_view(array_view(scratch));
  return wire_status::ok;
}

}  // namespace

wire_status decode_array(std::string_view wire, value_view& out, std::string& scratch) {
  if (wire.size() < header_size) return wire_status::malformed;
  const auto dimensions = load_big_endian<std::uint32_t>(wire.data());
  const auto element_type = load_big_endian<std::uint32_t>(wire.data() + 8);
  // An array of arrays is no array type's element: that keeps this from calling itself.
  if (element_type_of(element_type) != 0) return wire_status::malformed;
  scratch.clear();
  scalekit::detail::array_packer packer(scratch);
  wire.remove_prefix(header_size);
  if (dimensions == 0) {
    return wire.empty() ? finish(packer, out, scratch) : wire_status::malformed;
  }
  if (dimensions > 1) return wire_status::out_of_range;
  if (wire.size() < dimension_size) return wire_status::malformed;
  const auto count = load_big_endian<std::uint32_t>(wire.data());
  wire.remove_prefix(dimension_size);

  const decode_function decode = decoder_for(element_type);
  std::string element_scratch;
  for (std::uint32_t i = 0; i < count; ++i) {
    if (wire.size() < 4) return wire_status::malformed;
    const auto size = load_big_endian<std::int32_t>(wire.data());
    wire.remove_prefix(4);
    if (size == -1) {
      packer.add_null();
      continue;
    }
    if (size < 0 || static_cast<std::size_t>(size) > wire.size()) return wire_status::malformed;
    value_view element;
    auto status = decode(wire.substr(0, static_cast<std::size_t>(size)), element, element_scratch);
    if (status != wire_status::ok) return status;
    packer.add(element);
    wire.remove_prefix(static_cast<std::size_t>(size));
  }
  return wire.empty() ? finish(packer, out, scratch) : wire_status::malformed;
}

}  // namespace scalekit::db::postgres
