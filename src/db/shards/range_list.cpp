#include "db/shards/range_list.hpp"

#include "db/shards/shard_key_json.hpp"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>

namespace scalekit::db::detail {
namespace {

namespace json = boost::json;

/// Whether `a` ends before `b` begins, with something between them.
bool is_apart(const shard_range& a, const shard_range& b) {
  return a.to && b.from && *a.to < *b.from;
}

json::value bound(const std::optional<shard_key>& key) {
  if (!key) return nullptr;
  return to_value(*key);
}

std::optional<shard_key> bound_of(const json::value& v) {
  if (v.is_null()) return std::nullopt;
  return key_of(v);
}

}  // namespace

range_list with(range_list list, shard_range more) {
  range_list out;
  for (auto& each : list) {
    if (is_apart(each, more) || is_apart(more, each)) {
      out.push_back(std::move(each));
      continue;
    }
    if (!each.from || (more.from && *each.from < *more.from)) more.from = each.from;
    if (!each.to || (more.to && *each.to > *more.to)) more.to = each.to;
  }
  const auto at = std::ranges::find_if(out, [&](const auto& r) { return is_apart(more, r); });
  out.insert(at, std::move(more));
  return out;
}

range_list without(const range_list& list, const shard_range& less) {
  range_list out;
  for (const auto& each : list) {
    const bool is_below = each.to && less.from && *each.to <= *less.from;
    const bool is_above = each.from && less.to && *each.from >= *less.to;
    if (is_below || is_above) {
      out.push_back(each);
      continue;
    }
    if (less.from && (!each.from || *each.from < *less.from)) out.push_back({each.from, less.from});
    if (less.to && (!each.to || *each.to > *less.to)) out.push_back({less.to, each.to});
  }
  return out;
}

std::string to_json(const range_list& list) {
  json::array out;
  for (const auto& each : list) out.push_back(json::array{bound(each.from), bound(each.to)});
  return json::serialize(out);
}

range_list parse_ranges(std::string_view text) {
  range_list out;
  const auto parsed = json::parse({text.data(), text.size()});
  for (const auto& each : parsed.as_array()) {
    out.push_back({bound_of(each.as_array().at(0)), bound_of(each.as_array().at(1))});
  }
  return out;
}

}  // namespace scalekit::db::detail
