#pragma once

#include "scalekit/core/export.hpp"
#include "scalekit/db/client.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace scalekit::adapters {

/// The script that lets every change of `tables` be heard, for those who keep their schema in
/// files: PostgreSQL 11 and newer. It may be run again and again, and with more tables later.
///
/// Each table gets a statement trigger, named like the channel, after insert, update, delete and
/// truncate, that notifies `channel` of "schema.table"; the server says it once a transaction. All
/// of them call one function, scalekit_notify_change(), in the first schema of the search path. A
/// partitioned table's trigger does not hear of what is written to a partition by its own name, nor
/// the partition's of what is written through the table: name both where both is done.
///
/// What it costs: transactions that notify commit one after the other, and cannot be prepared (two
/// phase commit). Name tables that are read far more often than written.
///
/// Names are quoted: spell them as in the catalogue, "product" or "shop.product". Throws
/// errc::invalid_argument for no table, a name that cannot be, or a channel not of 1 to 46 bytes.
SCALEKIT_EXPORT std::string change_trigger_script(const std::vector<std::string>& tables,
                                                  std::string_view channel = "scalekit_changed");

/// Runs it, in one transaction; processes that start at the same time take turns. Takes a lock that
/// writers of a table wait for, and only where a trigger is missing. Needs the TRIGGER privilege on
/// the tables, and CREATE on the schema of the function the first time. Throws
/// errc::invalid_statement on SQLite.
SCALEKIT_EXPORT void install_change_triggers(db::client& client,
                                             const std::vector<std::string>& tables,
                                             std::string_view channel = "scalekit_changed",
                                             const db::transaction_options& options = {});

}  // namespace scalekit::adapters
