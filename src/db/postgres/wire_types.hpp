#pragma once

#include <cstdint>
#include <string>

// The types of PostgreSQL that scalekit knows by heart. Their OIDs are part of PostgreSQL's
// catalogue and never change; those of enums, domains and extensions differ by database.

namespace scalekit::db::postgres {

namespace type_oid {
inline constexpr std::uint32_t boolean = 16;
inline constexpr std::uint32_t bytea = 17;
inline constexpr std::uint32_t one_char = 18;  // "char", in quotes
inline constexpr std::uint32_t name = 19;
inline constexpr std::uint32_t int8 = 20;
inline constexpr std::uint32_t int2 = 21;
inline constexpr std::uint32_t int4 = 23;
inline constexpr std::uint32_t text = 25;
inline constexpr std::uint32_t oid = 26;
inline constexpr std::uint32_t xid = 28;
inline constexpr std::uint32_t json = 114;
inline constexpr std::uint32_t xml = 142;
inline constexpr std::uint32_t cidr = 650;
inline constexpr std::uint32_t float4 = 700;
inline constexpr std::uint32_t float8 = 701;
inline constexpr std::uint32_t unknown = 705;
inline constexpr std::uint32_t macaddr = 829;
inline constexpr std::uint32_t inet = 869;
inline constexpr std::uint32_t bpchar = 1042;
inline constexpr std::uint32_t varchar = 1043;
inline constexpr std::uint32_t date = 1082;
inline constexpr std::uint32_t time = 1083;
inline constexpr std::uint32_t timestamp = 1114;
inline constexpr std::uint32_t timestamptz = 1184;
inline constexpr std::uint32_t interval = 1186;
inline constexpr std::uint32_t numeric = 1700;
inline constexpr std::uint32_t void_ = 2278;
inline constexpr std::uint32_t uuid = 2950;
inline constexpr std::uint32_t pg_lsn = 3220;
inline constexpr std::uint32_t jsonb = 3802;
inline constexpr std::uint32_t xid8 = 5069;
}  // namespace type_oid

/// The element type of an array type; 0 for what is not the array type of one of the above.
std::uint32_t element_type_of(std::uint32_t array_type) noexcept;

/// True for the above and their arrays.
bool is_known_type(std::uint32_t type) noexcept;

/// "int4", "int4[]"; "type 16385" for a type that is not known here. For error texts.
std::string type_name_of(std::uint32_t type);

}  // namespace scalekit::db::postgres
