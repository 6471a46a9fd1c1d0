#include "db/classify/builtin_functions.hpp"

#include <algorithm>
#include <array>

namespace scalekit::db::detail {
namespace {

template <std::size_t N>
using names = std::array<std::string_view, N>;

template <std::size_t N>
constexpr bool sorted(const names<N>& list) {
  return std::is_sorted(list.begin(), list.end());
}

template <std::size_t N>
bool has(const names<N>& list, std::string_view name) noexcept {
  return std::binary_search(list.begin(), list.end(), name);
}

constexpr auto effectful_prefixes = std::to_array<std::string_view>(
    {"binary_upgrade_", "dblink", "lo_", "pg_advisory_", "pg_logical_", "pg_replication_",
     "pg_sleep", "pg_stat_reset", "pg_try_advisory_", "pg_wal_replay_", "uuid_generate_"});

constexpr auto effectful = std::to_array<std::string_view>({
    "brin_desummarize_range",
    "brin_summarize_new_values",
    "brin_summarize_range",
    "clock_timestamp",
    "currval",
    "cursor_to_xml",
    "cursor_to_xmlschema",
    "gen_random_bytes",
    "gen_random_uuid",
    "gin_clean_pending_list",
    "lastval",
    "loread",
    "lowrite",
    "nextval",
    "normal_rand",
    "pg_backup_start",
    "pg_backup_stop",
    "pg_cancel_backend",
    "pg_copy_logical_replication_slot",
    "pg_copy_physical_replication_slot",
    "pg_create_logical_replication_slot",
    "pg_create_physical_replication_slot",
    "pg_create_restore_point",
    "pg_drop_replication_slot",
    "pg_export_snapshot",
    "pg_import_system_collations",
    "pg_log_backend_memory_contexts",
    "pg_log_standby_snapshot",
    "pg_nextoid",
    "pg_notify",
    "pg_prewarm",
    "pg_promote",
    "pg_reload_conf",
    "pg_rotate_logfile",
    "pg_start_backup",
    "pg_stat_clear_snapshot",
    "pg_stat_force_next_flush",
    "pg_stat_statements_reset",
    "pg_stop_backup",
    "pg_switch_wal",
    "pg_terminate_backend",
    "query_to_xml",
    "query_to_xml_and_xmlschema",
    "query_to_xmlschema",
    "random",
    "random_normal",
    "set_config",
    "setseed",
    "setval",
    "timeofday",
    "ts_stat",
    "uuidv4",
    "uuidv7",
});
static_assert(sorted(effectful));

constexpr auto lasting = std::to_array<std::string_view>({
    "dblink_connect",
    "dblink_connect_u",
    "pg_advisory_lock",
    "pg_advisory_lock_shared",
    "pg_replication_origin_session_setup",
    "pg_try_advisory_lock",
    "pg_try_advisory_lock_shared",
    "set_config",
    "setseed",
});
static_assert(sorted(lasting));

constexpr auto hidden = std::to_array<std::string_view>({
    "connectby",
    "crosstab",
    "crosstab2",
    "crosstab3",
    "crosstab4",
    "database_to_xml",
    "database_to_xml_and_xmlschema",
    "database_to_xmlschema",
    "pg_current_xact_id",
    "pg_input_error_info",
    "pg_input_is_valid",
    "schema_to_xml",
    "schema_to_xml_and_xmlschema",
    "schema_to_xmlschema",
    "table_to_xml",
    "table_to_xml_and_xmlschema",
    "table_to_xmlschema",
    "txid_current",
    "xpath_table",
});
static_assert(sorted(hidden));

// Words that can be no function's name (reserved ones and those of pg_get_keywords() with catcode
// C), and three that open a parenthesis of their own far more likely than they are one.
constexpr auto constructs = std::to_array<std::string_view>({
    "all",
    "and",
    "any",
    "array",
    "as",
    "asymmetric",
    "between",
    "bit",
    "both",
    "case",
    "cast",
    "char",
    "character",
    "check",
    "coalesce",
    "collate",
    "current_time",
    "current_timestamp",
    "dec",
    "decimal",
    "default",
    "distinct",
    "else",
    "except",
    "exists",
    "extract",
    "fetch",
    "float",
    "for",
    "from",
    "greatest",
    "group",
    "grouping",
    "having",
    "ilike",
    "in",
    "intersect",
    "interval",
    "into",
    "join",
    "lateral",
    "leading",
    "least",
    "like",
    "limit",
    "localtime",
    "localtimestamp",
    "national",
    "nchar",
    "normalize",
    "not",
    "nullif",
    "numeric",
    "offset",
    "on",
    "only",
    "or",
    "order",
    "overlay",
    "position",
    "returning",
    "row",
    "select",
    "setof",
    "some",
    "substring",
    "symmetric",
    "then",
    "time",
    "timestamp",
    "to",
    "trailing",
    "treat",
    "trim",
    "union",
    "using",
    "values",
    "varchar",
    "variadic",
    "when",
    "where",
    "window",
    "with",
    "xmlattributes",
    "xmlconcat",
    "xmlelement",
    "xmlexists",
    "xmlforest",
    "xmlnamespaces",
    "xmlparse",
    "xmlpi",
    "xmlroot",
    "xmlserialize",
    "xmltable",
});
static_assert(sorted(constructs));

}  // namespace

bool is_effectful_builtin(std::string_view name) noexcept {
  return has(effectful, name) || has(hidden, name) ||
         std::any_of(effectful_prefixes.begin(), effectful_prefixes.end(),
                     [name](std::string_view prefix) { return name.starts_with(prefix); });
}

bool lasts_in_session(std::string_view name) noexcept {
  return has(lasting, name);
}

bool hides_effects(std::string_view name) noexcept {
  // crosstabN is what its documentation tells users to call the variants they declare.
  return has(hidden, name) || name.starts_with("crosstab");
}

bool builds_rows(std::string_view name) noexcept {
  return name.find("populate_record") != std::string_view::npos || name == "xmltable" ||
         name == "json_table";
}

bool is_construct(std::string_view word) noexcept {
  return has(constructs, word);
}

}  // namespace scalekit::db::detail
