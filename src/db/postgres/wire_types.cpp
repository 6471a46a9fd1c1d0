#include "db/postgres/wire_types.hpp"

#include <string_view>

namespace scalekit::db::postgres {
namespace {

struct type_row {
  std::uint32_t type;
  std::uint32_t array;
  std::string_view name;
};

constexpr type_row types[] = {
    {type_oid::boolean, 1000, "bool"},
    {type_oid::bytea, 1001, "bytea"},
    {type_oid::one_char, 1002, "\"char\""},
    {type_oid::name, 1003, "name"},
    {type_oid::int8, 1016, "int8"},
    {type_oid::int2, 1005, "int2"},
    {type_oid::int4, 1007, "int4"},
    {type_oid::text, 1009, "text"},
    {type_oid::oid, 1028, "oid"},
    {type_oid::xid, 1011, "xid"},
    {type_oid::json, 199, "json"},
    {type_oid::xml, 143, "xml"},
    {type_oid::cidr, 651, "cidr"},
    {type_oid::float4, 1021, "float4"},
    {type_oid::float8, 1022, "float8"},
    {type_oid::unknown, 0, "unknown"},
    {type_oid::macaddr, 1040, "macaddr"},
    {type_oid::inet, 1041, "inet"},
    {type_oid::bpchar, 1014, "bpchar"},
    {type_oid::varchar, 1015, "varchar"},
    {type_oid::date, 1182, "date"},
    {type_oid::time, 1183, "time"},
    {type_oid::timestamp, 1115, "timestamp"},
    {type_oid::timestamptz, 1185, "timestamptz"},
    {type_oid::interval, 1187, "interval"},
    {type_oid::numeric, 1231, "numeric"},
    {type_oid::void_, 0, "void"},
    {type_oid::uuid, 2951, "uuid"},
    {type_oid::pg_lsn, 3221, "pg_lsn"},
    {type_oid::jsonb, 3807, "jsonb"},
    {type_oid::xid8, 271, "xid8"},
};

}  // namespace

std::uint32_t element_type_of(std::uint32_t array_type) noexcept {
  if (array_type == 0) return 0;
  for (const auto& row : types) {
    if (row.array == array_type) return row.type;
  }
  return 0;
}

bool is_known_type(std::uint32_t type) noexcept {
  for (const auto& row : types) {
    if (row.type == type || (row.array == type && type != 0)) return true;
  }
  return false;
}

std::string type_name_of(std::uint32_t type) {
  for (const auto& row : types) {
    if (row.type == type) return std::string(row.name);
    if (row.array == type && type != 0) return std::string(row.name) + "[]";
  }
  return "type " + std::to_string(type);
}

}  // namespace scalekit::db::postgres
