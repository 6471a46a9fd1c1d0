#pragma once

#include <filesystem>
#include <string>

namespace support::postgres {

/// A program of the PostgreSQL server packages, such as "postgres" or "pg_basebackup": from
/// `pg_config --bindir`, else the newest below /usr/lib/postgresql. Throws std::runtime_error when
/// PostgreSQL is not installed.
std::filesystem::path program(const std::string& name);

/// PgBouncer, which is a package of its own.
std::filesystem::path pgbouncer_program();

/// A new data directory at `target`, which must not exist, owned by the server account, with the
/// superuser `postgres`. A copy of one that the build tree keeps, and then of the same system
/// identifier as every other copy, unless `own_identity`.
void create_data_directory(const std::filesystem::path& target, bool own_identity);

}  // namespace support::postgres
