#pragma once

#include "scalekit/core/export.hpp"
#include "scalekit/db/shard_key.hpp"
#include "scalekit/db/shard_move.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace scalekit::db {

/// Keys and whose they are. Of a hashed map the keys are buckets.
struct shard_span {
  shard_range keys;
  std::string shard;
};

/// Which key lies on which shard. A value that never changes: another map has another version.
///
///     auto map = db::shard_map::by_range({{{.to = 1000}, "one"}, {{.from = 1000}, "two"}});
///
/// Whatever makes one throws errc::invalid_argument for a map that is not whole, naming what is
/// wrong: spans out of order, a gap between two, an overlap, keys of both kinds, a shard without a
/// name.
///
/// Thread safety: may be read from any thread.
class SCALEKIT_EXPORT shard_map {
 public:
  enum class kind { range, hash, lookup };

  /// Where a key lies that the table of by_lookup() does not have; nothing: nowhere. It may ask a
  /// database: it is called by the call that needs it, on its thread, and keeps its own cache.
  using loader = std::function<std::optional<std::string>(const shard_key&)>;

  /// Each key belongs to the span that contains it. The first span has no `from`, the last no
  /// `to`, and each begins where the one before it ends.
  static shard_map by_range(std::vector<shard_span> spans);

  /// Each key belongs to its bucket, shard_bucket(key, buckets), and each shard gets as many
  /// buckets as the next. The number of buckets is for ever: shards are added by moving buckets.
  /// Default 4096. Range: as many as there are shards, to 2^20.
  static shard_map by_hash(const std::vector<std::string>& shards, std::int64_t buckets = 4096);
  /// The same with the buckets of each shard: spans of [0, buckets), as in by_range().
  static shard_map by_buckets(std::vector<shard_span> spans, std::int64_t buckets);

  /// Each key is in the table; others go to `otherwise`, or where `ask` says.
  static shard_map by_lookup(std::vector<std::pair<shard_key, std::string>> table,
                             std::optional<std::string> otherwise = {}, loader ask = {});

  /// Throws errc::not_found for a key of a lookup map that is nowhere, and errc::invalid_argument
  /// for a number where keys are texts, or the other way round.
  std::string shard_of(const shard_key& key) const;

  /// By what a map orders its keys: the key itself or, of a hashed map, its bucket.
  shard_key place_of(const shard_key& key) const;

  kind what() const noexcept { return kind_; }
  /// 0: not hashed.
  std::int64_t buckets() const noexcept { return buckets_; }

  /// 1 for a map that was made here; each further version of a stored map is one more.
  std::int64_t version() const noexcept { return version_; }
  shard_map with_version(std::int64_t version) const;

  /// Every shard that it names, each once, in order.
  std::vector<std::string> names() const;

  /// The one shard to which all these places belong. Throws errc::invalid_argument when there are
  /// several, naming them, and for a range that is empty.
  std::string owner_of(const shard_range& places) const;

  /// The next version, in which these places belong to `shard`. For a lookup map, a single key.
  /// Throws as owner_of().
  shard_map with_owner(const shard_range& places, const std::string& shard) const;

  /// The range that holds one place and nothing else.
  static shard_range only(const shard_key& place);

  /// A move that is under way. While there is one, some rows lie on two shards.
  const std::optional<shard_move>& move() const noexcept { return move_; }
  /// The next version, with that move or without one.
  shard_map with_move(std::optional<shard_move> move) const;

  /// As it is stored. Throws errc::not_supported for a map with a loader, which is code.
  std::string to_json() const;
  /// Throws errc::corrupt for what is not a map, errc::not_supported for one of a newer program.
  static shard_map parse(std::string_view json);

 private:
  explicit shard_map(kind what) : kind_(what) {}

  void require_kind(const shard_key& key) const;
  static void validate(const std::vector<shard_span>& spans, std::int64_t buckets);

  kind kind_;
  std::int64_t buckets_ = 0;
  std::int64_t version_ = 1;
  std::vector<shard_span> spans_;
  std::map<shard_key, std::string> table_;
  std::optional<std::string> otherwise_;
  loader ask_;
  std::optional<shard_move> move_;
};

}  // namespace scalekit::db
