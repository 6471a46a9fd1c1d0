#pragma once

#include <cstddef>
#include <string>

namespace scalekit::db::detail {

/// What a server gives out, and among how many processes.
struct fleet_facts {
  /// The server's max_connections.
  std::size_t max_connections = 0;
  /// Kept for superusers and other roles: superuser_reserved_connections and reserved_connections.
  std::size_t reserved = 0;
  /// The role's (or the database's) own connection limit; negative: none.
  long role_limit = -1;
  /// Processes that share it, this one included.
  std::size_t instances = 1;
};

/// The limits of one process's pool.
struct fleet_limit {
  std::size_t min = 0;
  std::size_t max = 0;
  /// "fleet: 92 connections among 4 processes". Empty when the own limits fit.
  std::string why;
};

/// An equal share of what the server gives out, at most the own max and at least 1: a process that
/// may not have a single connection could do nothing at all. One in twenty stays free, so that a
/// process that starts finds a connection before the others have noticed it.
fleet_limit share_of_fleet(const fleet_facts& facts, std::size_t own_min, std::size_t own_max);

}  // namespace scalekit::db::detail
