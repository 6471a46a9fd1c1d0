#include "scalekit/db/shard_transaction.hpp"

#include "scalekit/core/error.hpp"

namespace scalekit::db {

transaction& shard_transaction::on(const shard_key& key) {
  const auto wanted = map_->shard_of(key);
  if (wanted == name_) return tx_;
  throw error(errc::not_allowed, "shards: the transaction is on shard '" + name_ +
                                     "', a statement in it is for a key on shard '" + wanted +
                                     "'; a transaction is on one shard");
}

}  // namespace scalekit::db
