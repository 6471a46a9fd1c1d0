#include "scalekit/adapters/change_triggers.hpp"

#include "scalekit/core/error.hpp"
#include "scalekit/db/bulk.hpp"

#include <cstdint>

namespace scalekit::adapters {
namespace {

// Ends each block, so that no name may hold it.
constexpr std::string_view quote = "$scalekit$";

/// Of its own, for the whole database: "skchange".
constexpr std::int64_t installing = 0x736b6368616e6765;

constexpr const char* function_text = R"(do $scalekit$
begin
  if to_regprocedure('scalekit_notify_change()') is null then
    create function scalekit_notify_change() returns trigger language plpgsql as $body$
    begin
      perform pg_catalog.pg_notify(tg_argv[0], tg_table_schema || '.' || tg_table_name);
      return null;
    end
    $body$;
  end if;
end
$scalekit$;
)";

std::string literal(std::string_view text) {
  // Backslashes mean themselves only where standard_conforming_strings is on.
  std::string out = text.find('\\') == text.npos ? "'" : "E'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') out += c;
    out += c;
  }
  return out + '\'';
}

void append_trigger(std::string& script, const std::string& table, std::string_view channel) {
  if (table.find(quote) != table.npos) {
    throw error(errc::invalid_argument, "a table cannot be watched whose name holds $scalekit$");
  }
  const auto quoted = db::detail::quoted_table(table);
  script +=
      "do $scalekit$\nbegin\n  if not exists (select from pg_catalog.pg_trigger where tgrelid = ";
  script += literal(quoted) + "::regclass and tgname = " + literal(channel) + ") then\n";
  script += "    create trigger " + db::detail::quoted_column(channel);
  script += " after insert or update or delete or truncate on " + quoted;
  script += "\n      for each statement execute function scalekit_notify_change(";
  script += literal(channel) + ");\n  end if;\nend\n$scalekit$;\n";
}

}  // namespace

std::string change_trigger_script(const std::vector<std::string>& tables,
                                  std::string_view channel) {
  if (tables.empty()) throw error(errc::invalid_argument, "change triggers for no table");
  const bool is_channel = !channel.empty() && channel.size() <= 46 &&
                          channel.find('\0') == channel.npos && channel.find(quote) == channel.npos;
  if (!is_channel) {
    throw error(errc::invalid_argument, "the channel of change triggers has " +
                                            std::to_string(channel.size()) +
                                            " bytes; legal: 1 to 46, without NUL and $scalekit$");
  }
  std::string script = function_text;
  for (const auto& table : tables) append_trigger(script, table, channel);
  return script;
}

void install_change_triggers(db::client& client, const std::vector<std::string>& tables,
                             std::string_view channel, const db::transaction_options& options) {
  const auto script = change_trigger_script(tables, channel);
  client.transaction(
      [&](db::transaction& tx) {
        tx.lock(installing);
        tx.run_script(script);
      },
      options);
}

}  // namespace scalekit::adapters
