// What a server sends as values. Whatever the bytes and the type: nothing beyond them is read, and
// what is accepted can be read back whole.

#include "db/postgres/wire_decode.hpp"
#include "db/postgres/wire_types.hpp"
#include "scalekit/core/array_view.hpp"

#include <cstdint>
#include <cstdlib>
#include <iterator>
#include <string>
#include <string_view>

using namespace scalekit;
using namespace scalekit::db::postgres;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

/// Reads all of it; a copy cannot be optimised away.
void touch(std::string_view content) {
  const std::string copy(content);
  require(copy == content);
}

void check(const value_view& v) {
  switch (v.kind()) {
    case value_kind::text:
      touch(v.text());
      break;
    case value_kind::blob:
      touch({reinterpret_cast<const char*>(v.blob().data()), v.blob().size()});
      break;
    case value_kind::array: {
      std::size_t count = 0;
      for (const value_view element : v.array()) {
        require(element.is_null() || element.kind() == v.array().element_kind());
        check(element);
        ++count;
      }
      require(count == v.array().size());
      break;
    }
    case value_kind::null:
    case value_kind::integer:
    case value_kind::real:
      break;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::uint32_t types[] = {type_oid::boolean,
                                     type_oid::bytea,
                                     type_oid::one_char,
                                     type_oid::int2,
                                     type_oid::int4,
                                     type_oid::int8,
                                     type_oid::text,
                                     type_oid::oid,
                                     type_oid::cidr,
                                     type_oid::float4,
                                     type_oid::float8,
                                     type_oid::macaddr,
                                     type_oid::inet,
                                     type_oid::date,
                                     type_oid::time,
                                     type_oid::timestamp,
                                     type_oid::timestamptz,
                                     type_oid::interval,
                                     type_oid::numeric,
                                     type_oid::uuid,
                                     type_oid::pg_lsn,
                                     type_oid::jsonb,
                                     type_oid::xid8,
                                     1007,
                                     1009,
                                     1231,
                                     1182,
                                     1001,
                                     16390};
  if (size < 2) return 0;
  const std::uint32_t type = types[data[0] % std::size(types)];
  // A copy of exactly this size: reading beyond it is seen by AddressSanitizer.
  const std::string wire(reinterpret_cast<const char*>(data) + 2, size - 2);
  const auto decode = data[1] % 2 == 0 ? decoder_for(type) : text_decoder_for(type);
  value_view value;
  std::string scratch;
  if (decode(std::string_view(wire.data(), wire.size()), value, scratch) == wire_status::ok) {
    check(value);
  }
  return 0;
}
