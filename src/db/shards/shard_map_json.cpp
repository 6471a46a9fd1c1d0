#include "db/shards/shard_key_json.hpp"
#include "scalekit/core/error.hpp"
#include "scalekit/db/shard_map.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <array>

namespace scalekit::db {
namespace {

namespace json = boost::json;
using detail::key_of;
using detail::to_value;

// Of the stored form, not of the map: raised when an older program could not read it.
constexpr std::int64_t format = 1;
constexpr std::array<std::string_view, 3> kinds{"range", "hash", "lookup"};
constexpr std::array<std::string_view, 5> phases{"announced", "copying", "switching", "switched",
                                                 "aborting"};

template <std::size_t N>
std::size_t index_of(const std::array<std::string_view, N>& names, std::string_view name) {
  for (std::size_t i = 0; i < N; ++i) {
    if (names[i] == name) return i;
  }
  throw error(errc::not_supported, "a stored shard map has '" + std::string(name) +
                                       "' in it, which this program does not know");
}

std::string text_of(const json::value& v) {
  return std::string(v.as_string());
}

void put_range(json::object& to, const shard_range& range) {
  if (range.from) to["from"] = to_value(*range.from);
  if (range.to) to["to"] = to_value(*range.to);
}

shard_range range_of(const json::object& o) {
  shard_range range;
  if (const auto* from = o.if_contains("from")) range.from = key_of(*from);
  if (const auto* to = o.if_contains("to")) range.to = key_of(*to);
  return range;
}

json::object to_object(const shard_move& move) {
  json::object o{{"id", move.id},
                 {"source", move.from},
                 {"target", move.to},
                 {"phase", to_string(move.phase)},
                 {"owner", move.owner}};
  put_range(o, move.places);
  json::array tables;
  for (const auto& table : move.tables) {
    json::array ids;
    for (const auto& id : table.ids) ids.emplace_back(id);
    tables.push_back(json::object{{"name", table.name}, {"column", table.column}, {"ids", ids}});
  }
  o["tables"] = std::move(tables);
  return o;
}

shard_move move_of(const json::object& o) {
  shard_move move{.id = text_of(o.at("id")),
                  .places = range_of(o),
                  .from = text_of(o.at("source")),
                  .to = text_of(o.at("target")),
                  .tables = {},
                  .phase = static_cast<move_phase>(index_of(phases, o.at("phase").as_string())),
                  .owner = o.at("owner").to_number<std::int64_t>()};
  for (const auto& v : o.at("tables").as_array()) {
    const auto& t = v.as_object();
    shard_table table{text_of(t.at("name")), text_of(t.at("column")), {}};
    for (const auto& id : t.at("ids").as_array()) table.ids.push_back(text_of(id));
    move.tables.push_back(std::move(table));
  }
  return move;
}

shard_map map_of(const json::object& o) {
  const auto what = static_cast<shard_map::kind>(index_of(kinds, o.at("kind").as_string()));
  if (what == shard_map::kind::lookup) {
    std::vector<std::pair<shard_key, std::string>> table;
    for (const auto& v : o.at("table").as_array()) {
      table.emplace_back(key_of(v.as_array().at(0)), text_of(v.as_array().at(1)));
    }
    std::optional<std::string> otherwise;
    if (const auto* name = o.if_contains("otherwise")) otherwise = text_of(*name);
    return shard_map::by_lookup(std::move(table), std::move(otherwise));
  }
  std::vector<shard_span> spans;
  for (const auto& v : o.at("spans").as_array()) {
    spans.push_back({range_of(v.as_object()), text_of(v.as_object().at("shard"))});
  }
  if (what == shard_map::kind::range) return shard_map::by_range(std::move(spans));
  if (o.at("hash").to_number<std::int64_t>() != 1) {
    throw error(errc::not_supported, "a stored shard map is hashed as this program cannot");
  }
  return shard_map::by_buckets(std::move(spans), o.at("buckets").to_number<std::int64_t>());
}

}  // namespace

std::string_view to_string(move_phase phase) noexcept {
  return phases[static_cast<std::size_t>(phase)];
}

std::string shard_map::to_json() const {
  if (ask_) throw error(errc::not_supported, "shard_map: a map with a loader cannot be stored");
  json::object o{
      {"format", format}, {"kind", kinds[static_cast<std::size_t>(kind_)]}, {"version", version_}};
  if (kind_ == kind::hash) {
    o["hash"] = 1;
    o["buckets"] = buckets_;
  }
  if (kind_ == kind::lookup) {
    json::array table;
    for (const auto& [key, shard] : table_) {
      table.push_back(json::array{to_value(key), json::value(shard)});
    }
    o["table"] = std::move(table);
    if (otherwise_) o["otherwise"] = *otherwise_;
  } else {
    json::array spans;
    for (const auto& span : spans_) {
      json::object s{{"shard", span.shard}};
      put_range(s, span.keys);
      spans.push_back(std::move(s));
    }
    o["spans"] = std::move(spans);
  }
  if (move_) o["move"] = to_object(*move_);
  return json::serialize(o);
}

shard_map shard_map::parse(std::string_view text) {
  try {
    const auto parsed = json::parse({text.data(), text.size()});
    const auto& o = parsed.as_object();
    if (o.at("format").to_number<std::int64_t>() != format) {
      throw error(errc::not_supported, "a stored shard map is of a newer program");
    }
    auto map = map_of(o).with_version(o.at("version").to_number<std::int64_t>());
    if (const auto* move = o.if_contains("move")) map.move_ = move_of(move->as_object());
    return map;
  } catch (const error& e) {
    if (e.code() != errc::invalid_argument) throw;
    throw error(errc::corrupt, "a stored shard map is not whole: " + e.diag().client_message);
  } catch (const std::exception&) {
    throw error(errc::corrupt, "a stored shard map cannot be read");
  }
}

}  // namespace scalekit::db
