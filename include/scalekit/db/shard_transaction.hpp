#pragma once

#include "scalekit/core/export.hpp"
#include "scalekit/db/shard_key.hpp"
#include "scalekit/db/shard_map.hpp"
#include "scalekit/db/transaction.hpp"

#include <memory>
#include <string>
#include <utility>

namespace scalekit::db {

/// A transaction on one shard, handed to the function given to shard::transaction(). It is reached
/// only by a key, so that each statement says whose rows it is about:
///
///     shards.on(from).transaction([&](db::shard_transaction& tx) {
///       tx.on(from).write(sql("update account set money = money - 1 where id = $1", from));
///       tx.on(to).write(sql("update account set money = money + 1 where id = $1", to));
///     });
///
/// Thread safety: one thread at a time.
class SCALEKIT_EXPORT shard_transaction {
 public:
  /// Throws errc::not_allowed, naming both, for a key on another shard: nothing commits on two.
  transaction& on(const shard_key& key);

  const std::string& shard_name() const noexcept { return name_; }

  // For shard::transaction().
  shard_transaction(transaction& tx, std::shared_ptr<const shard_map> map,
                    std::string name) noexcept
      : tx_(tx), map_(std::move(map)), name_(std::move(name)) {}
  shard_transaction(const shard_transaction&) = delete;
  shard_transaction& operator=(const shard_transaction&) = delete;

 private:
  transaction& tx_;
  const std::shared_ptr<const shard_map> map_;
  const std::string name_;
};

}  // namespace scalekit::db
