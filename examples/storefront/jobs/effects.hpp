#pragma once

#include "data_dir.hpp"

#include <scalekit/db/client.hpp>

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

// What the jobs of an order do. Each effect carries the id of its job, so that it can be seen to
// have happened once. In mode direct the request calls these itself.

namespace storefront {

/// Takes the money: in this shop, a row. Part of the caller's transaction.
void take_payment(scalekit::db::transaction& tx, std::string_view job_id, std::int64_t order_id);

/// Books what left the warehouse. Part of the caller's transaction.
void book_movements(scalekit::db::transaction& tx, std::string_view job_id, std::int64_t order_id);

/// Puts the confirmation into the outbox, as <job_id>.eml: sent again, it is the same file.
/// `attempt` names this try among others of the same job.
void send_confirmation(scalekit::db::client& db, const data_dir& dirs, std::string_view job_id,
                       std::string_view attempt, std::int64_t order_id);

/// Notes that it was sent. Part of the caller's transaction.
void note_confirmation(scalekit::db::transaction& tx, std::string_view job_id,
                       std::int64_t order_id);

/// Writes the sales by category to <job_id>.csv; returns its size. Further calls as above.
std::int64_t write_report(scalekit::db::client& db, const data_dir& dirs, std::string_view job_id,
                          std::string_view attempt);
void note_report(scalekit::db::transaction& tx, std::string_view job_id, std::int64_t bytes);

/// Returns the size of what it wrote. Of SQLite: the database as it is now, as <job_id>.db. Of
/// PostgreSQL: the shop's books (orders, their lines and payments) as they are now, as
/// <job_id>.csv; a copy of the database is its administrator's business (pg_basebackup, pg_dump).
std::int64_t write_backup(scalekit::db::client& db, const data_dir& dirs, std::string_view job_id,
                          std::string_view attempt);
void note_backup(scalekit::db::transaction& tx, std::string_view job_id, std::int64_t bytes);

}  // namespace storefront
