#include "db/shards/move_sql.hpp"

#include "db/shards/fence.hpp"
#include "scalekit/core/error.hpp"
#include "scalekit/db/bulk.hpp"

#include <algorithm>

namespace scalekit::db::detail {
namespace {

// A row of the table: a name that no column has, which on PostgreSQL would win over it.
constexpr std::string_view row = "scalekit_t";

// Ends the body of a function of PostgreSQL.
constexpr std::string_view tag = "$scalekit$";

std::string literal(const shard_key& key) {
  if (!key.is_text()) return std::to_string(key.number());
  std::string out = "'";
  for (const char c : key.text()) {
    if (c == '\'') out += '\'';
    out += c;
  }
  return out + '\'';
}

std::string named(std::string_view kind, const shard_table& t) {
  return quoted_column("scalekit_" + std::string(kind) + " " + t.name);
}

std::string log_of(const shard_table& t) {
  return named("log", t);
}

/// "x.\"a\", x.\"b\"".
std::string listed(std::string_view of, const std::vector<std::string>& columns,
                   std::string_view cast = "") {
  std::string out;
  for (const auto& c : columns) {
    out += out.empty() ? "" : ", ";
    if (!of.empty()) out += std::string(of) + '.';
    out += quoted_column(c) + std::string(cast);
  }
  return out;
}

std::string same_ids(const shard_table& t, std::string_view a, std::string_view b) {
  std::string out;
  for (const auto& id : t.ids) {
    const auto q = quoted_column(id);
    out +=
        (out.empty() ? "" : " and ") + std::string(a) + '.' + q + " = " + std::string(b) + '.' + q;
  }
  return out;
}

/// What a trigger of PostgreSQL does to a write that it refuses.
std::string postgres_refusal() {
  return "raise exception using errcode = '" + std::string(fence_sqlstate) + "', message = '" +
         std::string(fence_text) + "';";
}

std::string parameters(std::size_t first, std::size_t count) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) {
    out += (i == 0 ? "$" : ", $") + std::to_string(first + i);
  }
  return out;
}

}  // namespace

void check_movable(const shard_table& t) {
  const auto refuse = [&](const std::string& why) {
    throw error(errc::invalid_argument, "range_move: table '" + t.name + "' " + why);
  };
  static_cast<void>(quoted_table(t.name));
  if (t.name.size() > 40) refuse("has a name of more than 40 bytes");
  if (t.name.find(tag) != std::string::npos) refuse("cannot be written in a function");
  if (t.column.empty()) refuse("names no column by which it is sharded");
  if (t.ids.empty()) refuse("names no ids");
  for (const auto& id : t.ids) static_cast<void>(quoted_column(id));
}

void check_movable(const shard_range& range) {
  for (const auto& bound : {range.from, range.to}) {
    if (bound && bound->is_text() && bound->text().find(tag) != std::string::npos) {
      throw error(errc::invalid_argument,
                  "range_move: a bound of the range cannot be written in a function");
    }
  }
}

std::string move_sql::column_of(std::string_view of, const shard_table& t) const {
  const auto column = std::string(of) + '.' + quoted_column(t.column);
  const bool is_text =
      (places_.from && places_.from->is_text()) || (places_.to && places_.to->is_text());
  if (!is_text) return column;
  return column + (is_postgres() ? " collate \"C\"" : " collate binary");
}

std::string move_sql::in(std::string_view column, const range_list& ranges) const {
  std::string any;
  for (const auto& r : ranges) {
    std::string one;
    if (r.from) one = std::string(column) + " >= " + literal(*r.from);
    if (r.to) one += (one.empty() ? "" : " and ") + std::string(column) + " < " + literal(*r.to);
    if (one.empty()) one = "true";
    any += (any.empty() ? "(" : ") or (") + one;
  }
  return "(" + any + "))";
}

std::size_t move_sql::image_columns(const moved_table& t) const {
  return is_postgres() ? 1 : t.columns.size();
}

std::size_t move_sql::row_columns(const moved_table& t) const {
  return image_columns(t) + 1 + t.names.ids.size();
}

std::string move_sql::bookkeeping() const {
  return "create table if not exists scalekit_shard_gate (is_open integer not null);"
         "create table if not exists scalekit_shard_fence ("
         "name text not null primary key, ranges text not null);"
         "create table if not exists scalekit_shard_mover ("
         "move text not null primary key, owner bigint not null, progress text not null);";
}

std::string_view move_sql::session() const {
  if (!is_postgres()) return {};
  return "select set_config(name, value, true) from (values"
         " ('datestyle', 'ISO, YMD'), ('timezone', 'UTC'), ('intervalstyle', 'postgres'),"
         " ('extra_float_digits', '3'), ('bytea_output', 'hex'),"
         " ('standard_conforming_strings', 'on'), ('lc_monetary', 'C')) as s (name, value)";
}

std::string move_sql::columns() const {
  if (!is_postgres()) return "select name, type, 0, 0 from pragma_table_info($1) order by cid";
  return "select attname::text, format_type(atttypid, atttypmod),"
         " attgenerated <> '', attidentity = 'a'"
         " from pg_attribute where attrelid = to_regclass($1::text) and attnum > 0"
         " and not attisdropped order by attnum";
}

std::string move_sql::place_columns(const shard_table& t) const {
  return column_of(row, t) + ", " + listed(row, t.ids);
}

std::string move_sql::selected(const moved_table& t) const {
  const auto image = is_postgres() ? std::string("scalekit_t::text") : listed(row, t.columns);
  const auto column = std::string(row) + "." + quoted_column(t.names.column);
  return "select " + image + ", " +
         (is_postgres() ? column + "::text, " + listed(row, t.names.ids, "::text")
                        : column + ", " + listed(row, t.names.ids)) +
         " from " + quoted_table(t.names.name) + " as scalekit_t where " +
         in_places(column_of(row, t.names));
}

std::string move_sql::selected_after(const moved_table& t, bool after) const {
  if (!after) return selected(t);
  return selected(t) + " and (" + place_columns(t.names) + ") > (" +
         parameters(1, 1 + t.names.ids.size()) + ")";
}

std::string move_sql::select_page(const moved_table& t, bool after, std::size_t rows) const {
  return selected_after(t, after) + " order by " + place_columns(t.names) + " limit " +
         std::to_string(rows);
}

std::string move_sql::select_between(const moved_table& t, bool after, bool until) const {
  auto text = selected_after(t, after);
  const auto count = 1 + t.names.ids.size();
  if (until) {
    text += " and (" + place_columns(t.names) + ") <= (" +
            parameters(after ? count + 1 : 1, count) + ")";
  }
  return text + " order by " + place_columns(t.names);
}

std::string move_sql::select_changes(const moved_table& t, std::size_t rows) const {
  return "select scalekit_seq, " + listed("", t.names.ids, is_postgres() ? "::text" : "") +
         " from " + log_of(t.names) + " order by scalekit_seq limit " + std::to_string(rows);
}

std::string move_sql::last_change(const moved_table& t) const {
  return "select coalesce(max(scalekit_seq), $1) from " + log_of(t.names);
}

std::string move_sql::count_changes(const moved_table& t) const {
  return "select count(*) from " + log_of(t.names) + " where scalekit_seq <= $1";
}

std::string move_sql::select_changed(const moved_table& t) const {
  return selected(t) + " and exists (select 1 from " + log_of(t.names) +
         " as l where l.scalekit_seq >= $1 and l.scalekit_seq <= $2 and " +
         same_ids(t.names, "l", row) + ")";
}

std::string move_sql::upsert(const moved_table& t, std::size_t rows) const {
  const auto table = quoted_table(t.names.name);
  std::string text = "insert into " + table + " as scalekit_t (" + listed("", t.columns) + ")";
  if (is_postgres()) {
    text += " overriding system value select " + listed("(r.x)", t.columns) + " from (values ";
    for (std::size_t i = 0; i < rows; ++i) {
      text += (i == 0 ? "($" : ", ($") + std::to_string(i + 1) + "::text::" + table + ")";
    }
    text += ") as r(x)";
  } else {
    text += " values ";
    for (std::size_t i = 0; i < rows; ++i) {
      text += (i == 0 ? "(" : ", (") + parameters(i * t.columns.size() + 1, t.columns.size()) + ")";
    }
  }
  std::string changes;
  for (const auto& c : t.columns) {
    const bool stays = std::ranges::find(t.names.ids, c) != t.names.ids.end() ||
                       std::ranges::find(t.fixed, c) != t.fixed.end();
    if (stays) continue;
    const auto q = quoted_column(c);
    changes += (changes.empty() ? "" : ", ") + q + " = excluded." + q;
  }
  if (changes.empty()) {
    const auto q = quoted_column(t.names.ids.front());
    changes = q + " = excluded." + q;
  }
  return text + " on conflict (" + listed("", t.names.ids) + ") do update set " + changes +
         " where " + in_places(column_of(row, t.names));
}

std::string move_sql::delete_rows(const moved_table& t, std::size_t rows) const {
  const auto count = t.names.ids.size();
  std::string any;
  for (std::size_t i = 0; i < rows; ++i) {
    any += any.empty() ? "(" : " or ";
    for (std::size_t k = 0; k < count; ++k) {
      any += (k == 0 ? "(" : " and ") + quoted_column(t.names.ids[k]) + " = $" +
             std::to_string(i * count + k + 1);
    }
    any += ')';
  }
  return "delete from " + quoted_table(t.names.name) + " as scalekit_t where " + any + ") and " +
         in_places(column_of(row, t.names));
}

std::string move_sql::delete_change(const moved_table& t) const {
  return "delete from " + log_of(t.names) + " where scalekit_seq " +
         (is_postgres() ? "= any($1)" : "= $1");
}

std::string move_sql::delete_page(const moved_table& t, std::size_t rows) const {
  const auto table = quoted_table(t.names.name);
  const auto ids = listed("", t.names.ids);
  return "delete from " + table + " where (" + ids + ") in (select " + ids + " from " + table +
         " as scalekit_t where " + in_places(column_of(row, t.names)) + " limit " +
         std::to_string(rows) + ")";
}

std::string move_sql::has_rows(const moved_table& t) const {
  return "select count(*) from (select 1 from " + quoted_table(t.names.name) +
         " as scalekit_t where " + in_places(column_of(row, t.names)) + " limit 1) as found";
}

/// The function is replaced, the trigger made once: to drop one would lock out readers.
std::string move_sql::postgres_trigger(const shard_table& t, std::string_view kind,
                                       std::string_view body) const {
  const auto table = quoted_table(t.name);
  const auto function = named(kind, t);
  const auto trigger = quoted_column("scalekit_" + std::string(kind));
  const auto on_truncate = quoted_column("scalekit_" + std::string(kind) + "_truncate");
  return "lock table " + table + " in share row exclusive mode;" + "create or replace function " +
         function +
         "() returns trigger language plpgsql security definer set search_path from current as " +
         std::string(tag) + " begin if TG_OP = 'TRUNCATE' then " + postgres_refusal() +
         " end if; " + std::string(body) + " return null; end " + std::string(tag) + ";" +
         "do $scalekit_do$ begin if not exists (select 1 from pg_trigger where tgrelid = " +
         literal(table) + "::regclass and tgname = 'scalekit_" + std::string(kind) + "') then" +
         " create trigger " + trigger + " after insert or update or delete on " + table +
         " for each row execute function " + function + "();" + " create trigger " + on_truncate +
         " before truncate on " + table + " for each statement execute function " + function +
         "(); alter table " + table + " enable always trigger " + trigger + "; alter table " +
         table + " enable always trigger " + on_truncate + "; end if; end $scalekit_do$;";
}

std::string move_sql::capture(const shard_table& t) const {
  const auto log = log_of(t);
  const auto ids = listed("", t.ids);
  const auto table = quoted_table(t.name);
  const auto record = [&](std::string_view of, const std::string& when = "") {
    return "insert into " + log + " (" + ids + ") select " + listed(of, t.ids) + when + "; ";
  };
  // An update is one change, unless it makes another row of it.
  std::string same;
  for (const auto& id : t.ids) {
    const auto q = quoted_column(id);
    same += (same.empty() ? "old." : " and old.") + q +
            (is_postgres() ? " is not distinct from new." : " is new.") + q;
  }
  if (is_postgres()) {
    return "create table if not exists " + log + " as select " + ids + " from " + table +
           " with no data; alter table " + log +
           " add column if not exists scalekit_seq bigint generated always as identity primary "
           "key;" +
           postgres_trigger(t, "capture",
                            "if TG_OP <> 'INSERT' and " + in_places(column_of("old", t)) +
                                " then " + record("old") + "end if; if TG_OP <> 'DELETE' and " +
                                in_places(column_of("new", t)) +
                                " then if TG_OP = 'INSERT' or not " +
                                in_places(column_of("old", t)) + " or not (" + same + ") then " +
                                record("new") + "end if; end if;");
  }
  const auto trigger = [&](const std::string& event, const std::string& when,
                           const std::string& body) {
    const auto name = named("capture_" + event, t);
    return "drop trigger if exists " + name + "; create trigger " + name + " after " + event +
           " on " + table + " when " + when + " begin " + body + "end;";
  };
  const auto old_in = in_places(column_of("old", t)), new_in = in_places(column_of("new", t));
  return "create table if not exists " + log +
         " (scalekit_seq integer primary key autoincrement, " + ids + ");" +
         trigger("insert", new_in, record("new")) +
         trigger("update", old_in + " or " + new_in,
                 record("old") + record("new", " where not (" + same + ")")) +
         trigger("delete", old_in, record("old"));
}

std::string move_sql::release(const shard_table& t) const {
  std::string text;
  if (is_postgres()) {
    text = "drop function if exists " + named("capture", t) + "() cascade;";
  } else {
    for (const auto* event : {"insert", "update", "delete"}) {
      text += "drop trigger if exists " + named(std::string("capture_") + event, t) + ";";
    }
  }
  return text + "drop table if exists " + log_of(t) + ";";
}

std::string move_sql::fence(const shard_table& t, const range_list& away) const {
  const auto gate = std::string("exists (select 1 from scalekit_shard_gate)");
  const auto old_in = away.empty() ? "" : in(column_of("old", t), away);
  const auto new_in = away.empty() ? "" : in(column_of("new", t), away);
  if (is_postgres()) {
    if (away.empty()) return "drop function if exists " + named("fence", t) + "() cascade;";
    return postgres_trigger(t, "fence",
                            "if ((TG_OP <> 'INSERT' and " + old_in +
                                ") or (TG_OP <> 'DELETE' and " + new_in + ")) and not " + gate +
                                " then " + postgres_refusal() + " end if;");
  }
  std::string text;
  const auto table = quoted_table(t.name);
  const auto trigger = [&](const std::string& event, const std::string& when) {
    const auto name = named("fence_" + event, t);
    text += "drop trigger if exists " + name + ";";
    if (away.empty()) return;
    text += "create trigger " + name + " after " + event + " on " + table + " when (" + when +
            ") and not " + gate + " begin select raise(abort, '" + std::string(fence_text) +
            "'); end;";
  };
  trigger("insert", new_in);
  trigger("update", old_in + " or " + new_in);
  trigger("delete", old_in);
  return text;
}

}  // namespace scalekit::db::detail
