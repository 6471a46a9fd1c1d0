#include "scalekit/db/shard_map.hpp"

#include "scalekit/core/error.hpp"

#include <algorithm>
#include <limits>
#include <set>

namespace scalekit::db {
namespace {

[[noreturn]] void refuse(const std::string& why) {
  throw error(errc::invalid_argument, "shard_map: " + why);
}

bool is_below(const shard_range& a, const shard_range& b) {
  return a.to && b.from && *a.to <= *b.from;
}

/// "span 2, [100, 200) of 'b'".
std::string shown(const std::vector<shard_span>& spans, std::size_t i) {
  return "span " + std::to_string(i + 1) + ", " + to_string(spans[i].keys) + " of '" +
         spans[i].shard + "'";
}

bool is_empty(const shard_range& r) {
  return r.from && r.to && *r.from >= *r.to;
}

/// What of `span` lies below and above `cut`.
void keep_outside(const shard_span& span, const shard_range& cut, std::vector<shard_span>& out) {
  shard_range below = span.keys, above = span.keys;
  if (!cut.from || (below.to && *below.to <= *cut.from)) {
    if (cut.from) out.push_back(span);
  } else {
    below.to = cut.from;
    if (!is_empty(below)) out.push_back({below, span.shard});
  }
  if (!cut.to) return;
  if (above.from && *above.from >= *cut.to) {
    out.push_back(span);
  } else if (!above.to || *above.to > *cut.to) {
    above.from = cut.to;
    if (!is_empty(above)) out.push_back({above, span.shard});
  }
}

std::vector<shard_span> joined(std::vector<shard_span> spans) {
  std::vector<shard_span> out;
  for (auto& span : spans) {
    if (!out.empty() && out.back().shard == span.shard) {
      out.back().keys.to = span.keys.to;
    } else {
      out.push_back(std::move(span));
    }
  }
  return out;
}

}  // namespace

void shard_map::validate(const std::vector<shard_span>& spans, std::int64_t buckets) {
  if (spans.empty()) refuse("it has no spans");
  for (std::size_t i = 0; i < spans.size(); ++i) {
    const auto& [keys, shard] = spans[i];
    if (shard.empty()) refuse(shown(spans, i) + " names no shard");
    if (is_empty(keys)) refuse(shown(spans, i) + " is empty");
    if (i == 0) continue;
    const auto& before = spans[i - 1].keys;
    if (before.to && keys.from && before.to->is_text() != keys.from->is_text()) {
      refuse(shown(spans, i) + ": its keys are of another kind than those before it");
    }
    const auto both = shown(spans, i - 1) + " and " + shown(spans, i);
    if (!is_below(before, keys)) refuse(both + " overlap, or are out of order");
    if (*before.to != *keys.from) {
      refuse("between " + both + " there is a gap, " + to_string({before.to, keys.from}));
    }
  }
  const auto& first = spans.front().keys.from;
  const auto& last = spans.back().keys.to;
  if (buckets == 0) {
    if (first) refuse("no shard has the keys below " + shown(spans, 0));
    if (last) refuse("no shard has the keys from the end of " + shown(spans, spans.size() - 1));
    return;
  }
  if (first != shard_key(0) || last != shard_key(buckets)) {
    refuse("the spans of a hashed map must go from bucket 0 to " + std::to_string(buckets) +
           ", which is not in it");
  }
}

shard_map shard_map::by_range(std::vector<shard_span> spans) {
  validate(spans, 0);
  shard_map map(kind::range);
  map.spans_ = joined(std::move(spans));
  return map;
}

shard_map shard_map::by_hash(const std::vector<std::string>& shards, std::int64_t buckets) {
  const auto count = static_cast<std::int64_t>(shards.size());
  if (count == 0) refuse("it has no shards");
  if (buckets < count) {
    refuse(std::to_string(buckets) + " buckets are too few for " + std::to_string(count) +
           " shards; their range is the number of shards to 1048576");
  }
  if (std::set<std::string>(shards.begin(), shards.end()).size() != shards.size()) {
    refuse("a shard is named twice");
  }
  std::vector<shard_span> spans;
  for (std::int64_t i = 0; i < count; ++i) {
    spans.push_back(
        {{buckets * i / count, buckets * (i + 1) / count}, shards[static_cast<std::size_t>(i)]});
  }
  return by_buckets(std::move(spans), buckets);
}

shard_map shard_map::by_buckets(std::vector<shard_span> spans, std::int64_t buckets) {
  if (buckets < 1 || buckets > (1 << 20)) {
    refuse(std::to_string(buckets) + " buckets; their range is the number of shards to 1048576");
  }
  validate(spans, buckets);
  shard_map map(kind::hash);
  map.buckets_ = buckets;
  map.spans_ = joined(std::move(spans));
  return map;
}

shard_map shard_map::by_lookup(std::vector<std::pair<shard_key, std::string>> table,
                               std::optional<std::string> otherwise, loader ask) {
  if (otherwise && ask) refuse("a lookup map has a default or a loader, not both");
  if (table.empty() && !otherwise && !ask) refuse("it has no keys, no default and no loader");
  if (otherwise && otherwise->empty()) refuse("its default names no shard");
  shard_map map(kind::lookup);
  for (auto& [key, shard] : table) {
    if (shard.empty()) refuse("a key of the table names no shard");
    if (!map.table_.empty() && map.table_.begin()->first.is_text() != key.is_text()) {
      refuse("its table has numbers and texts as keys");
    }
    const auto [at, is_new] = map.table_.try_emplace(std::move(key), std::move(shard));
    if (!is_new) refuse("a key is in the table twice; it is of '" + at->second + "'");
  }
  map.otherwise_ = std::move(otherwise);
  map.ask_ = std::move(ask);
  return map;
}

void shard_map::require_kind(const shard_key& key) const {
  std::optional<bool> wants_text;
  if (kind_ == kind::lookup && !table_.empty()) wants_text = table_.begin()->first.is_text();
  if (kind_ != kind::lookup && spans_.size() > 1) wants_text = spans_[0].keys.to->is_text();
  if (!wants_text || *wants_text == key.is_text()) return;
  refuse(*wants_text ? "its keys are texts, a number was asked for"
                     : "its keys are numbers, a text was asked for");
}

shard_key shard_map::place_of(const shard_key& key) const {
  return kind_ == kind::hash ? shard_key(shard_bucket(key, buckets_)) : key;
}

std::string shard_map::shard_of(const shard_key& key) const {
  const auto place = place_of(key);
  require_kind(place);
  if (kind_ != kind::lookup) {
    const auto at = std::ranges::partition_point(
        spans_, [&](const shard_span& s) { return s.keys.to && *s.keys.to <= place; });
    return at->shard;
  }
  if (const auto at = table_.find(key); at != table_.end()) return at->second;
  if (otherwise_) return *otherwise_;
  if (ask_) {
    if (auto shard = ask_(key)) return std::move(*shard);
  }
  throw error(errc::not_found, "shard_map: the lookup table of version " +
                                   std::to_string(version_) + " does not have the key");
}

shard_map shard_map::with_version(std::int64_t version) const {
  auto next = *this;
  next.version_ = version;
  return next;
}

std::vector<std::string> shard_map::names() const {
  std::set<std::string> names;
  for (const auto& span : spans_) names.insert(span.shard);
  for (const auto& [key, shard] : table_) names.insert(shard);
  if (otherwise_) names.insert(*otherwise_);
  if (move_) names.insert({move_->from, move_->to});
  return {names.begin(), names.end()};
}

shard_range shard_map::only(const shard_key& place) {
  if (place.is_text()) return {place, shard_key(place.text() + '\x01')};
  if (place.number() == std::numeric_limits<std::int64_t>::max()) return {place, {}};
  return {place, shard_key(place.number() + 1)};
}

std::string shard_map::owner_of(const shard_range& places) const {
  if (is_empty(places)) refuse("the range " + to_string(places) + " is empty");
  if (places.from) require_kind(*places.from);
  if (places.to) require_kind(*places.to);
  if (kind_ == kind::lookup) {
    if (!places.from || places != only(*places.from)) {
      refuse("of a lookup map single keys move, as shard_map::only() makes them");
    }
    return shard_of(*places.from);
  }
  const shard_range whole{spans_.front().keys.from, spans_.back().keys.to};
  if (kind_ == kind::hash &&
      (!places.from || !places.to || *places.from < *whole.from || *whole.to < *places.to)) {
    refuse("the buckets " + to_string(places) + " are not in " + to_string(whole));
  }
  std::set<std::string> owners;
  for (const auto& span : spans_) {
    if (!is_below(span.keys, places) && !is_below(places, span.keys)) owners.insert(span.shard);
  }
  if (owners.size() == 1) return *owners.begin();
  std::string list;
  for (const auto& name : owners) list += (list.empty() ? "'" : ", '") + name + "'";
  refuse("the range " + to_string(places) + " belongs to several shards: " + list);
}

shard_map shard_map::with_owner(const shard_range& places, const std::string& shard) const {
  static_cast<void>(owner_of(places));
  if (shard.empty()) refuse("the new owner of " + to_string(places) + " has no name");
  auto next = with_version(version_ + 1);
  if (kind_ == kind::lookup) {
    next.table_.insert_or_assign(*places.from, shard);
    return next;
  }
  std::vector<shard_span> spans;
  for (const auto& span : spans_) keep_outside(span, places, spans);
  const auto at =
      std::ranges::find_if(spans, [&](const shard_span& s) { return is_below(places, s.keys); });
  spans.insert(at, {places, shard});
  validate(spans, buckets_);
  next.spans_ = joined(std::move(spans));
  return next;
}

shard_map shard_map::with_move(std::optional<shard_move> move) const {
  auto next = with_version(version_ + 1);
  next.move_ = std::move(move);
  return next;
}

}  // namespace scalekit::db
